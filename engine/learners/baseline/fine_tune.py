"""Pretrain and fine-tune: one net for all training classes, fine-tuned on a support.

Source: Chen et al. (2019), arXiv:1904.04232, section 3.1 ("Baseline"); Yosinski et al.
(2014), arXiv:1411.1792, for transfer.
Differs: the new head starts at zero; the body is fine-tuned, too, unless it is frozen,
as it is in the paper; full batches without weight decay; rate and number of steps are
tuned. In regression, one net is trained on all tasks and keeps its head.
Helps: the strong baseline for meta-learning; strongest where test tasks are unlike
those of training.
"""

from collections.abc import Sequence
from typing import ClassVar

from engine.algorithms.few_shot.fine_tuning import (
    FineTuningLearner,
    pooled_layout,
    pooled_net_loss,
    pretraining_step,
)
from engine.algorithms.few_shot.fine_tuning_heads import (
    FitProblem,
    linear_head_problem,
    whole_net_problem,
    with_zero_head,
)
from engine.algorithms.initial_weights import draw_weights
from engine.contract.parts import knob
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
class FineTune(FineTuningLearner):
    """(θ, V) ← (θ, V) − β ∇L_all; then (θ, w) ← (θ, w) − η ∇L_S with a new head w."""

    version: ClassVar[int] = 2
    short: ClassVar[str] = "Pretrain, fine-tune"
    hue: ClassVar[str] = "teal"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    freeze: bool = knob(
        False,
        label="Freeze the body",
        help="Fit only a new head, to the pretrained features.",
    )

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the net with one output per training class, for each replicate."""
        assert isinstance(tasks, EpisodeBatch)
        weights = draw_weights(tasks.net, pooled_layout(tasks), rngs, tasks.support.x)
        return Meta(weights | self.rate_and_steps(len(rngs), tasks), {})

    def fit_problem(self, theta: Weights, tasks: EpisodeBatch) -> FitProblem:
        """Fit a new head and, unless it is frozen, the body."""
        if self.freeze:
            return linear_head_problem(theta, tasks)
        return whole_net_problem(with_zero_head(theta, tasks), tasks)

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
