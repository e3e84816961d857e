"""What each layer has for guessing: what would be one file per layer."""

from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor

from app.charts import Charts, optimization
from app.charts.view_state import Look, Picture
from app.client.client import Run
from app.experiment.costs import Cost, tested
from engine.contract.blocks import Artefact, Event
from engine.contract.runs import LearnerChoice, RunSpec
from engine.judges.judge import Arrays, Judge
from engine.protocol import Stretch, TaskBatch
from engine.runner.context import Bench, Trial
from engine.runner.films import Filmed
from engine.runner.state import Carry
from engine.stats.claims import Claim
from engine.stats.verdicts.evidence import Evidence
from engine.stats.verdicts.terms import Terms
from engine.stats.verdicts.wording import titled
from tests.laws.toy.guessing.hidden_numbers import Games


class GuessingJudge(Judge):
    """The distance at the end decides."""

    def score(self, found: Stretch) -> Tensor:
        """Return the last distance; shape (member,)."""
        return found.traces["loss"][:, -1]

    def examples(self, tasks: TaskBatch) -> int:
        """Return 0: a game shows no examples."""
        return 0

    def traces(self, traces: Arrays) -> Arrays:
        """Return the traces as they are."""
        return traces

    def summaries(
        self, traces: Arrays, found: Stretch, tasks: TaskBatch, level: float | None
    ) -> Arrays:
        """Return the last and the mean distance."""
        return {"final_loss": traces["loss"][..., -1], "area": traces["loss"].mean(2)}

    def gradients(self, found: Stretch, tasks: TaskBatch) -> int:
        """Return the number of guesses."""
        assert isinstance(tasks, Games)
        return tasks.horizon


def film(bench: Bench, trial: Trial, name: str, carry: Carry) -> Iterator[Event]:
    """Keep where each learner begins."""
    arrays = {at: held["start"].numpy() for at, held in carry.metas.items()}
    yield Artefact(name, "film", arrays, {"form": "starts"})


def _levels(run: Evidence, learners: Sequence[LearnerChoice]) -> str:
    return ", ".join(run.names[label] for label in run.tested(learners))


def _facts(run: Evidence, here: Claim) -> list[str]:
    return [f"{here.n_tasks} games of each of {here.n_replicates} trainings"]


def grid(run: Run, look: Look) -> Iterator[Picture]:
    """Yield the distance against the guesses."""
    made = optimization.trace(run, "loss", look)
    if made is not None:
        yield Picture("distance", made)


def guesses(spec: RunSpec) -> float:
    """Return about how many guesses a run takes."""
    return float(spec.replicates * len(spec.learners) * tested(spec))


def _head(run: Evidence) -> str:
    return f"On {run.family}"


LAYERS: Mapping[str, object] = {
    "engine.judges": GuessingJudge(),
    "engine.runner.films": Filmed(film),
    "engine.stats.verdicts": Terms(
        sample="game",
        names=titled,
        head=_head,
        levels=_levels,
        description=lambda run, here: "Two levels.",
        facts=_facts,
    ),
    "app.charts": Charts(grid),
    "app.experiment.costs": Cost(guesses, guesses),
}
