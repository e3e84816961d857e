"""Momentum: step along a decaying sum of gradients.

Source: Polyak (1964); in torch.optim's form.
Differs: the rate is outside the sum, as in torch; equal for a constant rate.
Helps: keeps going along ravines where plain SGD zigzags; needs a lower rate.
"""

from typing import ClassVar

from torch import Tensor

from engine.algorithms.optimization.hand_designed import (
    DirectionOptimizer,
    KernelRule,
    rate_knob,
)
from engine.algorithms.optimization.update_rules import Direction, momentum_step, zeros
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import OptimizerInput, Weights


@register("learner")
class Momentum(DirectionOptimizer):
    """v ← μ v + (1−d) g, w ← w − η v; the first v is g."""

    version: ClassVar[int] = 2
    hue: ClassVar[str] = "orange"
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    lr: float = rate_knob(0.05)
    mu: float = knob(
        0.9,
        label="Momentum μ",
        low=0.0,
        high=0.9999,
        help="Momentum coefficient.",
    )
    dampening: float = knob(
        0.0,
        label="Dampening d",
        low=0.0,
        high=1.0,
        help="Each new gradient is multiplied by 1 − d.",
        advanced=True,
    )

    def start(self, weights: Tensor) -> Weights:
        """Return a velocity of zero."""
        return zeros(weights, "velocity")

    def direction(self, inputs: OptimizerInput, state: Weights) -> Direction:
        """Return the new velocity; the first gradient is not dampened, as in torch."""
        fresh = 1.0 if inputs.step == 0 else 1 - self.dampening
        return momentum_step(inputs.grad, state, self.mu, fresh)

    def kernel_rule(self) -> KernelRule:
        """Return its compiled form."""
        return KernelRule("momentum", (self.mu, self.dampening), ("velocity",))
