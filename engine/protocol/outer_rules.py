"""Interface of outer rules."""

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor

from engine.contract.parts import Part
from engine.protocol.meta_types import Weights


class OuterRule(Part):
    """How the meta-parameters follow the outer gradient, per replicate."""

    slot: ClassVar[str] = "outer"

    @abstractmethod
    def start(self, weights: Weights) -> Weights:
        """Return the rule's state; each first axis is the replicate."""

    @abstractmethod
    def step(
        self,
        weights: Weights,
        grads: Weights,
        state: Weights,
        done: float | Tensor = 0.0,
    ) -> tuple[Weights, Weights]:
        """Return new weights and state.

        Args:
            weights: Meta-weights; shape (replicate, …).
            grads: Outer gradients; the same shapes.
            state: From `start` or the previous step.
            done: Share of meta-training that is over, from 0 to 1; a tensor of shape
                () in a compiled step, where a number would be a constant.
        """
