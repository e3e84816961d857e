"""What a net is: pure functions of named weights, and how these lie in a row."""

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from torch import Tensor

from engine.contract.parts import Part
from engine.contract.rng import Rng
from engine.protocol.meta_types import Weights

LossFn = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Layout:
    """How the named tensors of a net lie in one flat vector of weights.

    `buffers` names those that no gradient moves, such as running statistics.
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    layers: tuple[tuple[str, ...], ...]
    buffers: tuple[str, ...] = ()

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        return tuple(math.prod(shape) for shape in self.shapes)

    @property
    def total(self) -> int:
        return sum(self.sizes)

    def views(self, flat: Tensor) -> Weights:
        """Name the parts of flat weights; (member, total) → (member, *shape) each."""
        parts = flat.split(self.sizes, dim=1)
        return {
            name: part.view(-1, *shape)
            for name, part, shape in zip(self.names, parts, self.shapes, strict=True)
        }

    def layer_sizes(self) -> tuple[int, ...]:
        """Return how many consecutive weights each layer owns."""
        size = dict(zip(self.names, self.sizes, strict=True))
        return tuple(sum(size[name] for name in layer) for layer in self.layers)


class Net(Part):
    """A net as pure functions: how its weights lie, start and answer.

    A net without outputs has no head and answers its features. `chunk` is how
    many members it computes best at once; `images` that it takes pixels only;
    `support_statistics` that a query is normalized by its support's statistics;
    `compares` that a query's features depend on the support beside them.
    """

    slot: ClassVar[str] = "net"
    traits: ClassVar[tuple[str, ...]] = ("images",)
    chunk: ClassVar[int] = 64
    images: ClassVar[bool] = False
    compares: ClassVar[bool] = False

    @property
    def support_statistics(self) -> bool:
        """Return whether a query is answered behind its support."""
        return False

    @property
    def min_examples(self) -> int:
        """Return how many examples an episode is filled up to, with zeros, for speed.

        Only a net that looks at each example by itself can be filled up.
        """
        return 0

    @abstractmethod
    def layout(self, shape: tuple[int, ...], outputs: int) -> Layout:
        """Return how the weights lie.

        Args:
            shape: Of one example: (feature,), or (channel, height, width).
            outputs: Answers of the head, the last layer; 0 leaves it out.

        Raises:
            Refused: If the net cannot take examples of that shape.
        """

    @abstractmethod
    def init(self, layout: Layout, rng: Rng) -> np.ndarray:
        """Draw initial weights; float32, shape (weight,)."""

    @abstractmethod
    def apply(
        self,
        weights: Weights,
        x: Tensor,
        reference: int | None = None,
        step: int = 0,
    ) -> Tensor:
        """Answer; (member, feature, example) → (member, output, example).

        Args:
            weights: Named weights, member first; without those of the head the
                answer is the features.
            x: Inputs, one example's numbers in a row.
            reference: How many leading examples the statistics of a batch
                normalization are taken from; all of them by default.
            step: Inner step, for weights that differ from step to step.
        """

    def statistics(self, weights: Weights, x: Tensor, step: int = 0) -> Weights:
        """Return what running statistics should come closer to, by their names.

        Returns:
            Means and variances of this batch where a net keeps running ones; shape
            (member, channel) each, without gradient.
        """
        return {}


def chosen_class(out: Tensor) -> Tensor:
    """Return the class with the highest score, the first of equals.

    A score that is no number counts as the highest, so whoever counts right answers
    must leave those of such a net out. `argmax` says the same, but over an axis that
    is not the last one it takes ten times as long.

    Args:
        out: Shape (member, class, example).

    Returns:
        Shape (member, example).
    """
    return out.max(1).indices


class BaseLearner(Net):
    """A net that is trained as a landscape: by minibatches, decayed and clipped.

    `can_backpropagate` says that `backpropagate` gives the gradient without autograd.
    """

    batch_size: int
    weight_decay: float
    clip: float

    @property
    @abstractmethod
    def can_backpropagate(self) -> bool:
        """Return whether `backpropagate` can be used."""

    @abstractmethod
    def backpropagate(
        self, weights: Weights, x: Tensor, loss_fn: LossFn
    ) -> tuple[Tensor, Tensor]:
        """Return what `loss_fn` says of the answers, and its gradient, by hand."""
