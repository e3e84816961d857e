"""From scratch: the same net, trained on the support alone.

Source: ours; the baseline that every few-shot learner must beat.
Differs: rate and number of steps are the best on validation episodes, which uses more
than a single task.
Helps: shows what the support alone can teach: any gain over it is meta-learning.
"""

from collections.abc import Sequence
from typing import ClassVar

from engine.algorithms.few_shot.few_shot_learner import (
    why_wrong_head,
)
from engine.algorithms.few_shot.fine_tuning import FineTuningLearner
from engine.algorithms.few_shot.fine_tuning_heads import FitProblem, whole_net_problem
from engine.algorithms.initial_weights import draw_weights
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    TaskBatch,
    Weights,
)


@register("learner")
class FromScratch(FineTuningLearner):
    """w ← w − η v, v ← μ v + ∇L_S(w), from a random w."""

    version: ClassVar[int] = 2
    hue: ClassVar[str] = "red"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = False

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the net, one per replicate: the same that others start training from."""
        assert isinstance(tasks, EpisodeBatch)
        weights = draw_weights(tasks.net, tasks.layout, rngs, tasks.support.x)
        return Meta(weights | self.rate_and_steps(len(rngs), tasks), {})

    def fit_problem(self, theta: Weights, tasks: EpisodeBatch) -> FitProblem:
        """Fit the whole net."""
        return whole_net_problem(theta, tasks)

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Return the weights unchanged: nothing is learned from other tasks."""
        return Outer(meta.memory, {}, weights=meta.weights)

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why its head does not fit the ways; None if it does."""
        assert isinstance(tasks, EpisodeBatch)
        return why_wrong_head(meta, tasks)
