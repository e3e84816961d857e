"""Adam: step by the gradient's mean over its root mean square.

Source: Kingma and Ba (2015), arXiv:1412.6980, algorithm 1.
Differs: the rate is 0.1 unless it is tuned, 0.001 in the paper, since nets here are
small and trainings short.
Helps: a rate per weight; robust to rescaled inputs.
"""

from typing import ClassVar

from torch import Tensor

from engine.algorithms.optimization.hand_designed import (
    DirectionOptimizer,
    KernelRule,
    rate_knob,
)
from engine.algorithms.optimization.update_rules import Direction, adam_step, zeros
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import OptimizerInput, Weights


@register("learner")
class Adam(DirectionOptimizer):
    """m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w − η m̂ / (√v̂ + ε)."""

    version: ClassVar[int] = 2
    hue: ClassVar[str] = "pink"
    tuned_hue: ClassVar[str] = "pink"
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    lr: float = rate_knob(0.1)
    beta1: float = knob(
        0.9,
        label="Mean decay β₁",
        low=0.0,
        high=0.9999,
        help="Decay of the gradient's moving average.",
        advanced=True,
    )
    beta2: float = knob(
        0.999,
        label="Square decay β₂",
        low=0.0,
        high=0.99999,
        help="Decay of the squared gradient's moving average.",
        advanced=True,
    )
    eps: float = knob(
        1e-8,
        label="Floor ε",
        low=1e-16,
        high=1.0,
        log=True,
        help="Keeps steps finite where gradients vanish.",
        advanced=True,
    )

    def start(self, weights: Tensor) -> Weights:
        """Return zero moments."""
        return zeros(weights, "m", "v")

    def direction(self, inputs: OptimizerInput, state: Weights) -> Direction:
        """Return the bias-corrected ratio of moments."""
        betas = (self.beta1, self.beta2)
        return adam_step(inputs.grad, state, inputs.step, betas, self.eps)

    def kernel_rule(self) -> KernelRule:
        """Return its compiled form."""
        return KernelRule("adam", (self.beta1, self.beta2, self.eps, 0.0), ("m", "v"))
