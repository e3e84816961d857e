"""Adagrad: step by the gradient over the root of the sum of its squares so far.

Source: Duchi, Hazan and Singer (2011), JMLR 12, the diagonal form.
Differs: as torch: t counts steps taken, λ is an addition. The rate is 0.3 unless it is
tuned, 0.01 in torch, since trainings here are short.
Helps: lowers each weight's rate by the gradients it has seen: a built-in schedule.
"""

from typing import ClassVar

from torch import Tensor

from engine.algorithms.optimization.hand_designed import (
    DirectionOptimizer,
    KernelRule,
    rate_knob,
)
from engine.algorithms.optimization.update_rules import Direction, adagrad_step, zeros
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import OptimizerInput, Weights


@register("learner")
class Adagrad(DirectionOptimizer):
    """s ← s + g², w ← w − η g / ((1 + λ t)(√s + ε))."""

    version: ClassVar[int] = 2
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    lr: float = rate_knob(0.3)
    decay: float = knob(
        0.0,
        label="Rate decay λ",
        low=0.0,
        high=10.0,
        help="Divides the rate by 1 + λ × steps taken.",
        advanced=True,
    )
    eps: float = knob(
        1e-10,
        label="Floor ε",
        low=1e-16,
        high=1.0,
        log=True,
        help="Keeps steps finite where gradients vanish.",
        advanced=True,
    )

    def start(self, weights: Tensor) -> Weights:
        """Return a sum of squares of zero."""
        return zeros(weights, "sum")

    def direction(self, inputs: OptimizerInput, state: Weights) -> Direction:
        """Return the gradient over the root of its sum of squares, decayed by λ."""
        step, state = adagrad_step(inputs.grad, state, self.eps)
        return Direction(step / (1 + self.decay * inputs.step), state)

    def kernel_rule(self) -> KernelRule:
        """Return its compiled form."""
        return KernelRule("adagrad", (self.decay, self.eps), ("sum",))
