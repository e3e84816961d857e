"""RMSprop: step by the gradient over its recent root mean square.

Source: Tieleman and Hinton (2012), lecture 6.5.
Differs: neither centered nor with momentum, α = 0.99 and ε outside the root, as torch;
the lecture has α = 0.9. The rate is 0.03 unless it is tuned, 0.01 in torch.
Helps: a rate per weight without Adam's momentum.
"""

from typing import ClassVar

from torch import Tensor

from engine.algorithms.optimization.hand_designed import (
    DirectionOptimizer,
    KernelRule,
    rate_knob,
)
from engine.algorithms.optimization.update_rules import Direction, rmsprop_step, zeros
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import OptimizerInput, Weights


@register("learner")
class Rmsprop(DirectionOptimizer):
    """v ← α v + (1−α) g², w ← w − η g / (√v + ε)."""

    version: ClassVar[int] = 2
    hue: ClassVar[str] = "gray"
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    lr: float = rate_knob(0.03)
    alpha: float = knob(
        0.99,
        label="Square decay α",
        low=0.0,
        high=0.99999,
        help="Decay of the squared gradient's moving average.",
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
        """Return a mean square of zero."""
        return zeros(weights, "v")

    def direction(self, inputs: OptimizerInput, state: Weights) -> Direction:
        """Return the gradient over its root mean square."""
        return rmsprop_step(inputs.grad, state, self.alpha, self.eps)

    def kernel_rule(self) -> KernelRule:
        """Return its compiled form."""
        return KernelRule("rmsprop", (self.alpha, self.eps), ("v",))
