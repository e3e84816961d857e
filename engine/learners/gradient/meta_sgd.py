"""Meta-SGD: learn initial weights and an inner learning rate for each weight.

Source: Li, Zhou, Chen and Li (2017), arXiv:1707.09835, algorithm 1.
Differs: the outer rule is a choice of the run, Adam in the paper, which takes one inner
step; with more, all use the same rates.
Helps: one inner step achieves more than MAML's; more steps than it was trained with can
diverge. A rate may become negative.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.algorithms.few_shot.gradient_learner import Adaptation, GradientLearner
from engine.algorithms.few_shot.inner_loop import trainable_names
from engine.algorithms.few_shot.inner_rules import sgd_with_rates
from engine.algorithms.few_shot.meta_gradients import meta_cosine, outer_through_steps
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    Inspection,
    Meta,
    Outer,
    OuterStepContext,
    TaskBatch,
    Weights,
    generator,
)

LOW, HIGH = 0.005, 0.1  # the paper's range of initial rates


@register("learner")
class MetaSgd(GradientLearner):
    """(θ, a) ← (θ, a) − β ∇ mean over tasks of L_Q(φ_k), φ ← φ − a ∘ ∇L_S(φ)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "magenta"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    net_role: ClassVar[str] = "start"
    compiles: ClassVar[bool] = True

    start: Literal["uniform", "constant"] = knob(
        "uniform",
        label="Initial rates",
        help="Drawn uniformly between 0.005 and 0.1, or all equal to α.",
    )

    @property
    def gradients_per_episode(self) -> float:
        """Return k inner gradients, each differentiated again, and the outer one."""
        return 2.0 * self.inner_steps + 1.0

    def extra_weights(
        self, rngs: Sequence[Rng], start: Weights, tasks: EpisodeBatch
    ) -> Weights:
        """Return an inner rate for each weight that is not a buffer."""
        return {
            f"alpha.{name}": self._draw_rates(rngs, name, start[name])
            for name in trainable_names(tasks)
        }

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Start at θ and take SGD steps with each weight's own rate."""
        start, rates = _split_weights(theta)
        return Adaptation(start, sgd_with_rates(lambda step: rates, self.inner_clip))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the query loss through the inner steps, by θ and the rates."""
        task_loss = partial(self.adapted_loss, 2)
        return outer_through_steps(
            meta, tasks, task_loss, step_context.compile_gradient
        )

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Compare first- and second-order meta-gradients; return rates by layer."""
        assert isinstance(tasks, EpisodeBatch)
        _, rates = _split_weights(meta.weights)
        layers = [
            torch.cat([rates[n].flatten(1) for n in layer if n in rates], 1).mean(1)
            for layer in tasks.layout.layers
        ]
        seen = Inspection(("layer",), torch.stack(layers, 1))
        return meta_cosine(meta, tasks, self.adapted_loss) | {"inner_lr": seen}

    def _draw_rates(self, rngs: Sequence[Rng], name: str, like: Tensor) -> Tensor:
        if self.start == "constant":
            return torch.full_like(like, self.inner_lr)
        rows = [
            torch.from_numpy(
                generator(rng.child("rates", name)).uniform(LOW, HIGH, like.shape[1:])
            )
            for rng in rngs
        ]
        return torch.stack(rows).to(like)


def _split_weights(theta: Weights) -> tuple[Weights, Weights]:
    """Return the initial weights and their rates, both by the weight's name."""
    rates = {n: theta[f"alpha.{n}"] for n in theta if f"alpha.{n}" in theta}
    return {n: v for n, v in theta.items() if not n.startswith("alpha.")}, rates
