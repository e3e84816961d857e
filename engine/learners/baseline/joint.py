"""Joint training: one net for all tasks at once, then fine-tuned on a support.

Source: Finn, Abbeel and Levine (2017), arXiv:1703.03400, section 5.1 ("pretraining on
all of the tasks").
Differs: rate and number of steps are tuned. In regression this is the same as Pretrain
and fine-tune; in classification, the labels of an episode are drawn anew each time, so
that no net can know them.
Helps: to see that averaging tasks is not learning to learn: on sine waves it converges
to the best prediction that ignores the task, and steps on a support make it worse.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import (
    why_wrong_head,
)
from engine.algorithms.few_shot.fine_tuning import FineTuningLearner, pretraining_step
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
class Joint(FineTuningLearner):
    """θ ← θ − β ∇ mean over tasks of L(θ); then w ← w − η ∇L_S(w), w = θ at first."""

    version: ClassVar[int] = 2
    hue: ClassVar[str] = "brown"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    net_role: ClassVar[str] = "start"
    compiles: ClassVar[bool] = True

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the net, one per replicate."""
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
        """Differentiate the loss on support and queries, without inner steps."""

        def task_loss(theta: Weights, batch: EpisodeBatch) -> Tensor:
            both = [
                batch.each_loss(batch.answer(theta, shots), shots.y)
                for shots in (batch.support, batch.query)
            ]
            # Joined before the mean, so that every example counts the same.
            return torch.cat(both, 1).mean(1)

        return pretraining_step(meta, tasks, task_loss, step_context.compile_gradient)

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why its head does not fit the ways; None if it does."""
        assert isinstance(tasks, EpisodeBatch)
        return why_wrong_head(meta, tasks)
