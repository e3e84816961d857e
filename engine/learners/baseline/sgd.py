"""SGD: step against the gradient.

Source: Robbins and Monro (1951).
Helps: the reference; well tuned, it is hard to beat in distribution.
"""

from typing import ClassVar

from torch import Tensor

from engine.algorithms.optimization.hand_designed import DirectionOptimizer, KernelRule
from engine.algorithms.optimization.update_rules import Direction
from engine.contract.registry import register
from engine.protocol import OptimizerInput, Weights


@register("learner")
class Sgd(DirectionOptimizer):
    """w ← w − η g."""

    version: ClassVar[int] = 2
    hue: ClassVar[str] = "red"
    tuned_hue: ClassVar[str] = "teal"
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    def start(self, weights: Tensor) -> Weights:
        """Return an empty state."""
        return {}

    def direction(self, inputs: OptimizerInput, state: Weights) -> Direction:
        """Return the gradient itself."""
        return Direction(inputs.grad, state)

    def kernel_rule(self) -> KernelRule:
        """Return its compiled form."""
        return KernelRule("sgd")
