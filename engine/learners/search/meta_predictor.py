"""Meta-predictor: other tasks teach how options matter, own trainings correct it.

Source: Wistuba and Grabocka (2021), arXiv:2101.07667, on surrogates that are
meta-trained over tasks and then fine-tuned; White et al. (2021), arXiv:1910.11858, on
a search that a predictor guides.
Differs: the surrogate is a Bayesian linear regression on options, paths and
options × task features, so that meta-training and the update are in closed form.
Helps: says of every architecture what it should be worth, not only of those that were
trained, as a knowledge base does.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import torch

from engine.algorithms.search.knowledge.queries import foreign
from engine.algorithms.search.knowledge.source_searches import Source, lived
from engine.algorithms.search.knowledge.transfer_predictor import (
    Forecaster,
    believed,
    placed,
    shortlisted,
    task_features,
    taught,
    untaught,
)
from engine.algorithms.search.loop import Info, explore
from engine.algorithms.search.predictor_guided import Guided, noted, started
from engine.algorithms.search.proposals import fresh
from engine.algorithms.search.strategy import lessons
from engine.contract.knobs import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.contract.runs import Budget
from engine.protocol import (
    Asked,
    Estimator,
    Learner,
    Lesson,
    Meta,
    Outer,
    Plan,
    Spaces,
    Stretch,
    TaskBatch,
    Told,
)

PARENTS = 10


@register("learner")
class MetaPredictor(Learner):
    """a_t = argmax E[wᵀφ(a, task)] + κ √Var, w ~ N(sources), given own trainings."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    trains: ClassVar[bool] = True

    source: Source = knob(
        "random", label="Source searched by",
        help="How the source tasks are searched: at random, or by evolution.",
    )  # fmt: skip
    shuffled: bool = knob(
        False, label="Shuffled source",
        help="Negative control: each source search's accuracies are dealt out anew "
        "among its architectures.",
    )  # fmt: skip
    trust: float = knob(
        0.1, label="Trust in sources", unit="trainings", low=0.0, high=1.0,
        help="How many of the target's own trainings one of a source is worth; 0 is a "
        "predictor that learns from the target alone.",
    )  # fmt: skip
    courage: float = knob(
        0.5, label="Courage κ", unit="deviations", low=0.0, high=10.0,
        help="How many standard deviations are added to what is predicted.",
    )  # fmt: skip
    every: int = knob(
        5, label="Trained per fit", unit="architectures", low=1, high=100,
        help="How many are chosen by one fit of the predictor.",
    )  # fmt: skip
    candidates: int = knob(
        100, label="Candidates", unit="architectures", low=10, high=5_000,
        advanced=True,
        help="As many again are those that the sources think best.",
    )  # fmt: skip
    ridge: float = knob(
        1.0, label="Ridge λ", low=1e-3, high=1e3, log=True, advanced=True,
        help="How strongly coefficients are held near 0 before any training.",
    )  # fmt: skip

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why it cannot take these tasks; None if it can."""
        assert isinstance(tasks, Spaces)
        return foreign(meta.weights["space"].cpu().numpy(), tasks)

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return sums over no trainings."""
        assert isinstance(tasks, Spaces)
        empty = untaught(tasks, len(rngs))
        return Meta({name: torch.from_numpy(a) for name, a in empty.items()}, {})

    def outer(
        self, meta: Meta, tasks: TaskBatch, lesson: Lesson, estimator: Estimator
    ) -> Outer:
        """Search source tasks and add their trainings to the sums."""
        assert isinstance(tasks, Spaces)
        found = lived(tasks, lesson, self.source, shuffled=self.shuffled)
        weights = {k: v.cpu().numpy().copy() for k, v in meta.weights.items()}
        for r in range(tasks.replicates):
            taught(tasks, found, r, weights)
        sums = {name: torch.from_numpy(array) for name, array in weights.items()}
        return Outer(meta.memory, {}, weights=sums)

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Search each drawn source task once."""
        return lessons(budget)

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[Stretch]:
        """Search in rounds: predict, propose, choose, train."""
        assert isinstance(tasks, Spaces)
        forecaster = self._forecaster(meta, tasks)
        plan = fresh(tasks)

        def ask(step: int, state: Guided) -> Asked:
            return Asked(state.queue[:, step % self.every])

        def tell(state: Guided, told: Told) -> tuple[Guided, Info]:
            state, after = noted(state, told), told.step + 1
            if after % self.every == 0 and after < tasks.horizon:
                queue = forecaster.queue(tasks, state, after, self.every)
                state = state._replace(queue=queue)
            return state, {}

        start = started(tasks, plan[:, : self.every])
        if forecaster.beliefs[0].taught:
            queue = forecaster.queue(tasks, start, 0, self.every)
            start = start._replace(queue=queue)
        yield from explore(tasks, start, ask, tell, path=path)

    def _forecaster(self, meta: Meta, tasks: Spaces) -> Forecaster:
        sums = {name: tensor.cpu().numpy() for name, tensor in meta.weights.items()}
        each = zip(sums["gram"], sums["goal"], strict=True)
        beliefs = [believed(*both, self.trust, self.ridge) for both in each]
        features = task_features(tasks)
        views = zip(sums["center"], sums["scale"], strict=True)
        places = [placed(features, *view) for view in views]
        lists = shortlisted(tasks, beliefs, places, self.candidates)
        return Forecaster(
            *(tuple(beliefs), tuple(places), lists, self.candidates),
            *(PARENTS, self.courage),
        )
