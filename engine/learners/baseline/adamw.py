"""AdamW: Adam with decoupled weight decay.

Source: Loshchilov and Hutter (2019), arXiv:1711.05101, algorithm 2.
Differs: as in torch, the decay is multiplied by the rate, in the paper only by its
schedule. The rate is 0.1 unless it is tuned, 0.001 in the paper, since nets here are
small and trainings short.
Helps: as Adam; the decay shrinks all weights equally, however noisy their gradients.
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
class Adamw(DirectionOptimizer):
    """w ← w − η (m̂ / (√v̂ + ε) + λ w), with the moments of Adam."""

    version: ClassVar[int] = 2
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    lr: float = rate_knob(0.1)
    decay: float = knob(
        0.01,
        label="Weight decay λ",
        low=0.0,
        high=10.0,
        help="Share of the weights that is subtracted per step at rate 1.",
    )
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
        """Return the ratio of moments plus the decay."""
        betas = (self.beta1, self.beta2)
        step, state = adam_step(inputs.grad, state, inputs.step, betas, self.eps)
        # Beside the gradient, so that the second moment does not divide it.
        return Direction(step + self.decay * inputs.weights, state)

    def kernel_rule(self) -> KernelRule:
        """Return its compiled form."""
        return KernelRule(
            "adam", (self.beta1, self.beta2, self.eps, self.decay), ("m", "v")
        )
