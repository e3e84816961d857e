"""Interface of a net: pure functions of named weights, and the weights' layout."""

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
from engine.kernels.dense_loss import DenseLayers
from engine.protocol.meta_types import Weights

LossFn = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Layout:
    """How the named tensors of a net lie in one flat vector of weights.

    Args:
        names: The tensors, in their order in the vector.
        shapes: The shape of each, without the member axis.
        layers: The names of each layer's tensors, from input to head.
        buffers: Tensors that no gradient moves, such as running statistics.
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
        """Return the named tensors as views into flat weights.

        Args:
            flat: Shape (member, total).

        Returns:
            By name; shape (member, *shape).
        """
        parts = flat.split(self.sizes, dim=1)
        return {
            name: part.view(-1, *shape)
            for name, part, shape in zip(self.names, parts, self.shapes, strict=True)
        }

    def layer_sizes(self) -> tuple[int, ...]:
        """Return the number of weights of each layer, in the order of the vector."""
        size = dict(zip(self.names, self.sizes, strict=True))
        return tuple(sum(size[name] for name in layer) for layer in self.layers)


class Net(Part):
    """A net as pure functions: layout, initial weights and forward pass.

    With 0 outputs a net has no head and returns its features.

    Attributes:
        chunk: Number of members at which it is fastest.
        images: Whether it takes images only.
        compares: Whether a query's features depend on the support.
    """

    slot: ClassVar[str] = "net"
    traits: ClassVar[tuple[str, ...]] = ("images", "chunk")
    chunk: ClassVar[int] = 64
    images: ClassVar[bool] = False
    compares: ClassVar[bool] = False

    @property
    def support_statistics(self) -> bool:
        """Return whether queries need the support in the same forward pass."""
        return False

    @property
    def min_examples(self) -> int:
        """Return the number of examples that an episode is padded to, for speed.

        Only a net that treats each example independently may be padded.
        """
        return 0

    def dense_layers(self, layout: Layout) -> DenseLayers | None:
        """Return the net as dense layers; None if it has anything else.

        Small dense nets have compiled kernels: `engine.kernels`.

        Args:
            layout: From `layout`, with a head.
        """
        return None

    @abstractmethod
    def layout(self, shape: tuple[int, ...], outputs: int) -> Layout:
        """Return the names, shapes and order of the weights.

        Args:
            shape: Shape of one example: (feature,), or (channel, height, width).
            outputs: Outputs of the head, the last layer; 0 leaves it out.

        Raises:
            Refused: If the net cannot take examples of that shape.
        """

    @abstractmethod
    def init(self, layout: Layout, rng: Rng) -> np.ndarray:
        """Draw initial weights.

        Args:
            layout: From `layout`.
            rng: The stream to draw from.

        Returns:
            Flat weights; float32, shape (weight,).
        """

    @abstractmethod
    def apply(
        self,
        weights: Weights,
        x: Tensor,
        reference: int | None = None,
        step: int = 0,
    ) -> Tensor:
        """Run the forward pass.

        Args:
            weights: Named weights, member first; without a head the outputs are the
                features.
            x: Flattened inputs; shape (member, feature, example).
            reference: Number of leading examples from which batch normalization
                takes its statistics; None for all of them.
            step: Inner step, for weights that differ from step to step.

        Returns:
            Outputs; shape (member, output, example).
        """

    def statistics(self, weights: Weights, x: Tensor, step: int = 0) -> Weights:
        """Return the batch statistics that running ones should move toward.

        Args:
            weights: Named weights, member first.
            x: Flattened inputs; shape (member, feature, example).
            step: Inner step that the weights belong to.

        Returns:
            Means and variances of this batch, by the names of the running ones;
            shape (member, channel), detached. Empty where a net keeps none.
        """
        return {}


def chosen_class(out: Tensor) -> Tensor:
    """Return the class with the highest score; the first one in a tie.

    NaN counts as the highest score, so accuracy must mask members with NaN outputs.
    `argmax` gives the same result, but takes ten times as long over an axis that is
    not the last one.

    Args:
        out: Scores; shape (member, class, example).

    Returns:
        Class labels; int64, shape (member, example).
    """
    return out.max(1).indices


class BaseLearner(Net):
    """A net that can be the base learner of an optimization task.

    Attributes:
        batch_size: Examples per gradient; 0 for the full batch.
        weight_decay: Share of the weights that is added to each gradient.
        clip: Largest L2 norm of a gradient; 0 never clips.
    """

    batch_size: int
    weight_decay: float
    clip: float

    @property
    @abstractmethod
    def can_backpropagate(self) -> bool:
        """Return whether `backpropagate` gives the gradient without autograd."""

    @abstractmethod
    def backpropagate(
        self, weights: Weights, x: Tensor, loss_fn: LossFn
    ) -> tuple[Tensor, Tensor]:
        """Return loss and gradient without autograd.

        Args:
            weights: Named weights, member first.
            x: Flattened inputs; shape (member, feature, example).
            loss_fn: Outputs → (loss, shape (member,); its gradient in the outputs).

        Returns:
            The loss, shape (member,), and the gradient in the layout's order, shape
            (member, weight).
        """
