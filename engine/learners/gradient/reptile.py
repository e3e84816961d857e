"""Reptile: move the initial weights toward the adapted weights of each task.

Source: Nichol, Achiam and Schulman (2018), arXiv:1803.02999, algorithm 2 (batched);
sections 4 (sine waves) and 6 (images) for minibatches and the inner rule.
Differs: the outer rule is a choice of the run and treats the negative displacement as a
gradient; the paper uses SGD with a rate that decays to 0. Defaults are those of the
paper's sine waves; for images it has Adam at 0.0002 to 0.0015. At test each inner step
uses the whole support.
Helps: no backpropagation through inner steps, so many of them are cheap; it needs more
than one, as a single step is joint training.
"""

from functools import partial
from typing import ClassVar, Literal

from torch import Tensor

from engine.algorithms.few_shot.gradient_learner import Adaptation, GradientLearner
from engine.algorithms.few_shot.inner_loop import (
    note_statistics,
    support_gradient,
    trainable_names,
)
from engine.algorithms.few_shot.inner_rules import adam_without_momentum, sgd
from engine.algorithms.few_shot.knobs import inner_rate_knob
from engine.algorithms.few_shot.meta_gradients import (
    mean_member_gradients,
    outer_with_statistics,
)
from engine.algorithms.few_shot.minibatches import minibatch, split_minibatches
from engine.algorithms.few_shot.running_statistics import BatchStatistics
from engine.contract.parts import knob
from engine.contract.registry import register
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
class Reptile(GradientLearner):
    """θ ← θ + β mean over tasks of (φ_k − θ), φ_k being θ after k steps on the task."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "green"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    net_role: ClassVar[str] = "start"
    compiles: ClassVar[bool] = True
    draws_in_outer: ClassVar[bool] = True

    inner_rule: Literal["sgd", "adam"] = knob(
        "sgd",
        label="Inner rule",
        help="SGD, or Adam without momentum (β₁ = 0), for images.",
    )
    inner_lr: float = inner_rate_knob(0.02)
    inner_steps: int = knob(
        5,
        label="Inner steps k",
        unit="steps",
        low=1,
        high=64,
        work="steps",
        help="Steps in meta-training. One step is joint training; with more it learns "
        "to adapt.",
    )
    batch: int = knob(
        10,
        label="Inner minibatch",
        unit="examples",
        low=0,
        high=512,
        help="Examples per inner step in meta-training, drawn from support and queries "
        "together; 0 takes all.",
    )

    @property
    def gradients_per_episode(self) -> float:
        """Return k inner gradients; there is no outer one."""
        return float(self.inner_steps)

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Start at θ and take steps of the inner rule."""
        kind = sgd if self.inner_rule == "sgd" else adam_without_momentum
        return Adaptation(theta, kind(self.inner_lr, self.inner_clip))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Return the mean of θ − φ_k in place of a gradient."""
        assert isinstance(tasks, EpisodeBatch)
        # Drawn before chunks are cut, so that a chunk's size changes no number.
        batches = split_minibatches(
            tasks, step_context.rngs, self.inner_steps, self.batch
        )
        return outer_with_statistics(
            meta,
            tasks,
            lambda seen: mean_member_gradients(
                meta,
                batches,
                partial(self._displacement, seen),
                step_context.compile_gradient,
            ),
        )

    def _displacement(
        self, statistics: list[BatchStatistics], theta: Weights, some: EpisodeBatch
    ) -> tuple[Tensor, Weights]:
        """Return the query loss after the last step, (member,), and θ − φ_k."""
        rule = self.adaptation(theta, some).rule
        names, weights = trainable_names(some), theta
        for step in range(self.inner_steps):
            weights = weights | {n: weights[n].detach().requires_grad_() for n in names}
            batch = minibatch(some, step, self.inner_steps)
            note_statistics(statistics, batch, weights, step)
            _, grads = support_gradient(batch, weights, names, step=step)
            weights = weights | rule(step, weights, grads)
        ends = {name: weights[name].detach() for name in theta}
        # For the training curve only: the displacement does not depend on it.
        loss = some.loss(ends, some.query, self.inner_steps)
        return loss, {name: theta[name] - ends[name] for name in names}
