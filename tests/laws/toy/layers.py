"""What each layer has for guessing: what would be one file per layer."""

from collections.abc import Iterator, Mapping

import numpy as np
from torch import Tensor

from app.charts import KindCharts, optimization
from app.charts.chart_options import NamedFigure, ResponsiveFigure, ViewState
from app.client.client import Run
from app.experiment.costs import CostModel, StageWork, count_test_tasks
from engine.contract.events import Artefact, Event
from engine.contract.run_spec import RunSpec
from engine.judges.judge import Arrays, Judge
from engine.protocol import TaskBatch, TraceSegment
from engine.runner.context import MetaTestCondition, RunContext
from engine.runner.films import FilmRecorder
from engine.runner.state import RunState
from engine.stats.verdicts.kind_terms import VerdictTerms
from engine.stats.verdicts.verdict_inputs import Evidence
from tests.laws.toy.guessing.hidden_numbers import Games


class GuessingJudge(Judge):
    """The distance at the end decides."""

    def score(self, trace: TraceSegment, tasks: TaskBatch) -> Tensor:
        """Return the last distance; shape (member,)."""
        return trace.traces["loss"][:, -1]

    def examples(self, tasks: TaskBatch) -> int:
        """Return 0: a game shows no examples."""
        return 0

    def support_length(self, tasks: TaskBatch) -> float:
        """Return 0: a game shows no examples."""
        return 0.0

    def traces(self, traces: Arrays) -> Arrays:
        """Return the traces as they are."""
        return traces

    def summaries(
        self, traces: Arrays, trace: TraceSegment, tasks: TaskBatch, level: float | None
    ) -> Arrays:
        """Return the last and the mean distance."""
        return {"final_loss": traces["loss"][..., -1], "area": traces["loss"].mean(2)}

    def gradients(self, trace: TraceSegment, tasks: TaskBatch) -> np.ndarray:
        """Return the number of guesses."""
        assert isinstance(tasks, Games)
        return np.full(tasks.members, tasks.horizon)


def film(
    context: RunContext, condition: MetaTestCondition, name: str, state: RunState
) -> Iterator[Event]:
    """Keep where each learner begins."""
    arrays = {at: held["start"].numpy() for at, held in state.metas.items()}
    yield Artefact(name, "film", arrays, {"form": "starts"})


def grid(run: Run, look: ViewState) -> Iterator[NamedFigure]:
    """Yield the distance against the guesses."""
    made = optimization.metric_chart(run, "loss", look)
    if made is not None:
        yield NamedFigure("distance", made)


def guesses(spec: RunSpec) -> float:
    """Return about how many guesses a run takes."""
    return float(spec.replicates * len(spec.learners) * count_test_tasks(spec))


def films(run: Run) -> Iterator[ResponsiveFigure]:
    """Yield no film: where guesses begin is no picture."""
    yield from ()


def stages(spec: RunSpec) -> Iterator[StageWork]:
    """Yield the stages of a batch: all that it does is to guess in tests."""
    each = guesses(spec) / len(spec.learners)
    yield from (StageWork("test", learner.name, each) for learner in spec.learners)


def _place(run: Evidence) -> str:
    return f"on {run.family}"


LAYERS: Mapping[str, object] = {
    "engine.judges": GuessingJudge(),
    "engine.runner.films": FilmRecorder(film),
    "engine.stats.verdicts": VerdictTerms(place=_place),
    "app.charts": KindCharts(grid, metrics=("loss",), films=films),
    "app.experiment.costs": CostModel(guesses, stages),
}
