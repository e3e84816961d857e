"""Meta-SGD: learn a start and, for each weight, the rate that it adapts at.

Source: Li, Zhou, Chen and Li (2017), arXiv:1707.09835, algorithm 1.
Differs: the outer rule is a choice of the run; it is Adam in the paper.
Helps: one inner step does more than MAML's; more steps than it was trained for can
blow up. A rate may turn negative.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.algorithms.few_shot.gradient_learner import Adaptation, GradientLearner
from engine.algorithms.few_shot.inner_loop import movable, scaled
from engine.algorithms.few_shot.meta_gradients import meta_cosine, outer_adapted
from engine.contract.knobs import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    Episodes,
    Estimator,
    Inspected,
    Lesson,
    Meta,
    Outer,
    TaskBatch,
    Weights,
    generator,
)

LOW, HIGH = 0.005, 0.1


@register("learner")
class MetaSgd(GradientLearner):
    """(θ, a) ← (θ, a) − β ∇ mean over tasks of L_Q(φ_k), φ_{i+1} = φ_i − a ∘ ∇L_S."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "magenta"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    start: Literal["uniform", "constant"] = knob(
        "uniform", label="Start of the rates",
        help="Each drawn between 0.005 and 0.1, or all the same.",
    )  # fmt: skip

    @property
    def lesson_gradients(self) -> float:
        """Return k inner gradients, each differentiated again, and the outer one."""
        return 2.0 * self.inner_steps + 1.0

    def extra_weights(
        self, rngs: Sequence[Rng], start: Weights, tasks: Episodes
    ) -> Weights:
        """Return a rate for each weight that a gradient moves."""
        return {
            f"alpha.{name}": self._rates(rngs, name, start[name])
            for name in movable(tasks)
        }

    def adaptation(self, theta: Weights, tasks: Episodes) -> Adaptation:
        """Descend from θ at each weight's own rate."""
        start, rates = _parts(theta)
        return Adaptation(start, scaled(lambda step: rates, self.inner_clip))

    def outer(
        self, meta: Meta, tasks: TaskBatch, lesson: Lesson, estimator: Estimator
    ) -> Outer:
        """Differentiate the queries' loss through the inner steps, rates included."""
        task_loss = partial(self.adapted_loss, 2)
        return outer_adapted(meta, tasks, task_loss, lesson.quicken)

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspected]:
        """Say what second derivatives change, and the mean rate of each layer."""
        assert isinstance(tasks, Episodes)
        _, rates = _parts(meta.weights)
        layers = [
            torch.cat([rates[n].flatten(1) for n in layer if n in rates], 1).mean(1)
            for layer in tasks.layout.layers
        ]
        seen = Inspected(("layer",), torch.stack(layers, 1))
        return meta_cosine(meta, tasks, self.adapted_loss) | {"inner_lr": seen}

    def _rates(self, rngs: Sequence[Rng], name: str, like: Tensor) -> Tensor:
        if self.start == "constant":
            return torch.full_like(like, self.inner_lr)
        rows = [
            torch.from_numpy(
                generator(rng.child("rates", name)).uniform(LOW, HIGH, like.shape[1:])
            )
            for rng in rngs
        ]
        return torch.stack(rows).to(like)


def _parts(theta: Weights) -> tuple[Weights, Weights]:
    """Take the start and the rates apart; both by the weight's name."""
    rates = {n: theta[f"alpha.{n}"] for n in theta if f"alpha.{n}" in theta}
    return {n: v for n, v in theta.items() if not n.startswith("alpha.")}, rates
