"""Meta-predictor: how options matter, learned from other tasks, updated on the new one.

Source: Wistuba and Grabocka (2021), arXiv:2101.07667, on surrogates that are
meta-trained over tasks and then fine-tuned; White et al. (2021), arXiv:1910.11858, on
predictor-guided search.
Differs: the surrogate is a Bayesian linear regression on options, paths and
options × task features, so that meta-training and the update are in closed form.
Helps: predicts every architecture, where a knowledge base knows only those that were
trained.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import torch

from engine.algorithms.search.knowledge.bayesian_regression import (
    add_trainings,
    empty_sums,
    fit_posterior,
    standardize_features,
    task_features,
)
from engine.algorithms.search.knowledge.queries import space_mismatch
from engine.algorithms.search.knowledge.source_searches import (
    SourceStrategy,
    run_source_searches,
)
from engine.algorithms.search.knowledge.transfer_predictor import (
    TransferPredictor,
    make_shortlists,
)
from engine.algorithms.search.predictor_guided import (
    GuidedState,
    record_evaluation,
    start_guided,
)
from engine.algorithms.search.proposals import random_order
from engine.algorithms.search.search_loop import StepMetrics, run_search
from engine.algorithms.search.untrained_strategy import plan_searches
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.contract.run_spec import Budget
from engine.protocol import (
    Estimator,
    Evaluation,
    Learner,
    Meta,
    Outer,
    OuterStepContext,
    Plan,
    Proposal,
    SearchBatch,
    TaskBatch,
    TraceSegment,
)

PARENTS = 10


@register("learner")
class MetaPredictor(Learner):
    """a_t = argmax E[wᵀφ(a, task)] + κ √Var, w ~ N(sources), given own trainings."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    trains: ClassVar[bool] = True

    source: SourceStrategy = knob(
        "random",
        label="Source search",
        help="How the source tasks are searched: at random, or by evolution.",
    )
    shuffled: bool = knob(
        False,
        label="Shuffled source",
        help="Negative control: the accuracies of each source search are randomly "
        "permuted.",
    )
    trust: float = knob(
        0.1,
        label="Trust in sources",
        unit="trainings",
        low=0.0,
        high=1.0,
        help="Number of target trainings that one source training is worth; 0 learns "
        "from the target alone.",
    )
    courage: float = knob(
        0.5,
        label="Exploration κ",
        unit="deviations",
        low=0.0,
        high=10.0,
        help="Standard deviations added to the predicted mean (upper confidence "
        "bound).",
    )
    every: int = knob(
        5,
        label="Trained per fit",
        unit="architectures",
        low=1,
        high=100,
        help="Architectures chosen per fit of the predictor.",
    )
    candidates: int = knob(
        100,
        label="Candidates",
        unit="architectures",
        low=10,
        high=5_000,
        advanced=True,
        work="size",
        help="Candidates per round; as many again are those that the sources predict "
        "to be best.",
    )
    ridge: float = knob(
        1.0,
        label="Ridge λ",
        low=1e-3,
        high=1e3,
        log=True,
        advanced=True,
        help="Prior precision of the coefficients; larger keeps them closer to 0.",
    )

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why it cannot take these tasks; None if it can."""
        assert isinstance(tasks, SearchBatch)
        return space_mismatch(meta.weights["space"].cpu().numpy(), tasks)

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return the regression's sums over no trainings."""
        assert isinstance(tasks, SearchBatch)
        empty = empty_sums(tasks, len(rngs))
        return Meta({name: torch.from_numpy(a) for name, a in empty.items()}, {})

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Search source tasks and add their trainings to the regression's sums."""
        assert isinstance(tasks, SearchBatch)
        found = run_source_searches(
            tasks, step_context, self.source, shuffled=self.shuffled
        )
        weights = {k: v.cpu().numpy().copy() for k, v in meta.weights.items()}
        for r in range(tasks.replicates):
            add_trainings(tasks, found, r, weights)
        sums = {name: torch.from_numpy(array) for name, array in weights.items()}
        return Outer(meta.memory, {}, weights=sums)

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Search each drawn source task once."""
        return plan_searches(budget)

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search in rounds: predict, propose, choose, train."""
        assert isinstance(tasks, SearchBatch)
        forecaster = self._build_predictor(meta, tasks)
        plan = random_order(tasks)

        def ask(step: int, state: GuidedState) -> Proposal:
            return Proposal(state.queue[:, step % self.every])

        def tell(
            state: GuidedState, evaluation: Evaluation
        ) -> tuple[GuidedState, StepMetrics]:
            state, after = record_evaluation(state, evaluation), evaluation.step + 1
            if after % self.every == 0 and after < tasks.horizon:
                queue = forecaster.choose_next(tasks, state, after, self.every)
                state = state._replace(queue=queue)
            return state, {}

        start = start_guided(tasks, plan[:, : self.every])
        if forecaster.posteriors[0].is_informed:
            queue = forecaster.choose_next(tasks, start, 0, self.every)
            start = start._replace(queue=queue)
        yield from run_search(tasks, start, ask, tell, path=path)

    def _build_predictor(self, meta: Meta, tasks: SearchBatch) -> TransferPredictor:
        sums = {name: tensor.cpu().numpy() for name, tensor in meta.weights.items()}
        each = zip(sums["gram"], sums["goal"], strict=True)
        beliefs = [fit_posterior(*both, self.trust, self.ridge) for both in each]
        features = task_features(tasks)
        views = zip(sums["center"], sums["scale"], strict=True)
        places = [standardize_features(features, *view) for view in views]
        lists = make_shortlists(tasks, beliefs, places, self.candidates)
        return TransferPredictor(
            tuple(beliefs), tuple(places), lists, self.candidates, PARENTS, self.courage
        )
