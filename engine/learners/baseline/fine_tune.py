"""Pretrain and fine-tune: one net for all training classes, then fitted to a support.

Source: Chen et al. (2019), arXiv:1904.04232, section 3.1 ("Baseline"); Yosinski et
al. (2014), arXiv:1411.1792, for transfer.
Differs: the new head starts at zero; the body is fitted along unless it is frozen, as
it is in the paper; full batches without weight decay; rate and number of steps are
tuned. Where answers are values, one net is trained on all tasks and keeps its head.
Helps: the honest opponent of meta-learning; strongest where test tasks are unlike
those of training.
"""

from collections.abc import Sequence
from typing import ClassVar

from engine.algorithms.few_shot.fine_tuning import (
    FineTuned,
    Fitting,
    linear_head,
    net_loss,
    new_head,
    pooled_layout,
    pretraining,
    whole_net,
)
from engine.algorithms.few_shot.learner import drawn
from engine.contract.knobs import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    Episodes,
    Estimator,
    Lesson,
    Meta,
    Outer,
    TaskBatch,
    Weights,
)


@register("learner")
class FineTune(FineTuned):
    """θ ← θ − β ∇L_all(θ, V); then θ, w ← θ, w − η ∇L_S(θ, w) with a new head w."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "Pretrain, fine-tune"
    hue: ClassVar[str] = "teal"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    freeze: bool = knob(
        False, label="Freeze the body",
        help="Fit a new head only, to features as pretraining left them.",
    )  # fmt: skip

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the net with an output for each class, one per replicate."""
        assert isinstance(tasks, Episodes)
        weights = drawn(tasks.net, pooled_layout(tasks), rngs, tasks.support.x)
        return Meta(weights | self.chosen(len(rngs), tasks), {})

    def fitting(self, theta: Weights, tasks: Episodes) -> Fitting:
        """Fit a new head, and the body along with it."""
        if self.freeze:
            return linear_head(theta, tasks)
        return whole_net(new_head(theta, tasks), tasks)

    def outer(
        self, meta: Meta, tasks: TaskBatch, lesson: Lesson, estimator: Estimator
    ) -> Outer:
        """Differentiate the loss over all classes, on support and queries."""
        return pretraining(meta, tasks, net_loss, lesson.quicken)
