"""Nesterov: momentum with a look-ahead gradient.

Source: Nesterov (1983); in torch.optim's form.
Differs: from Sutskever et al. (2013) as torch does: the rate is outside the sum.
Helps: a little more stable than momentum at the same rate.
"""

from typing import ClassVar

from torch import Tensor

from engine.algorithms.optimization.hand_designed import (
    DirectionOptimizer,
    KernelRule,
    rate_knob,
)
from engine.algorithms.optimization.update_rules import Direction, nesterov_step, zeros
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import OptimizerInput, Weights


@register("learner")
class Nesterov(DirectionOptimizer):
    """v ← μ v + g, w ← w − η (g + μ v)."""

    version: ClassVar[int] = 2
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    lr: float = rate_knob(0.1)
    mu: float = knob(
        0.9,
        label="Momentum μ",
        low=0.0,
        high=0.9999,
        help="Momentum coefficient.",
    )

    def start(self, weights: Tensor) -> Weights:
        """Return a velocity of zero."""
        return zeros(weights, "velocity")

    def direction(self, inputs: OptimizerInput, state: Weights) -> Direction:
        """Return the gradient plus μ × the new velocity."""
        return nesterov_step(inputs.grad, state, self.mu)

    def kernel_rule(self) -> KernelRule:
        """Return its compiled form."""
        return KernelRule("nesterov", (self.mu,), ("velocity",))
