"""Linear probe: frozen features of a net for all training classes, a new linear head.

Source: Chen et al. (2019), arXiv:1904.04232, section 3.1 ("Baseline").
Differs: the new head starts at zero and is fitted in full batches without weight decay;
rate and number of steps are tuned.
Helps: to tell good features from good fine-tuning: only the head is fitted.
"""

from collections.abc import Sequence
from typing import ClassVar

from engine.algorithms.few_shot.fine_tuning import (
    FineTuningLearner,
    pooled_layout,
    pooled_net_loss,
    pretraining_step,
)
from engine.algorithms.few_shot.fine_tuning_heads import FitProblem, linear_head_problem
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
class LinearProbe(FineTuningLearner):
    """(θ, V) ← (θ, V) − β ∇L_all; then w ← w − η ∇_w L_S(w) on f_θ, w = 0 at first."""

    version: ClassVar[int] = 2
    hue: ClassVar[str] = "pink"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the net with one output per training class, for each replicate."""
        assert isinstance(tasks, EpisodeBatch)
        weights = draw_weights(tasks.net, pooled_layout(tasks), rngs, tasks.support.x)
        return Meta(weights | self.rate_and_steps(len(rngs), tasks), {})

    def fit_problem(self, theta: Weights, tasks: EpisodeBatch) -> FitProblem:
        """Fit a new linear head."""
        return linear_head_problem(theta, tasks)

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the loss over all classes, on support and queries."""
        return pretraining_step(
            meta, tasks, pooled_net_loss, step_context.compile_gradient
        )
