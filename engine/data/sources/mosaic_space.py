"""Mosaic's search space: its decisions, net designs, and their analytic cost."""

import itertools
from dataclasses import dataclass

import numpy as np

OPTIONS = {
    "depth": ("1", "2", "4"),
    "width": ("4", "8", "16", "32"),
    "activation": ("relu", "tanh", "sigmoid", "sine"),
    "normalization": ("none", "layer", "batch"),
    "skip": ("none", "residual"),
    "optimizer": ("sgd", "momentum", "adam"),
    "rate": ("0.01", "0.03", "0.1"),
}
# The first five decisions are the net's design; the rest is its training recipe.
_FORM = 5
RADIX = tuple(len(options) for options in OPTIONS.values())
RECIPES = tuple(itertools.product(*list(OPTIONS.values())[_FORM:]))
# The forward pass, and the gradients of each layer's weights and of its inputs.
PASSES = 3
# In the uint16 counts of right answers: a training that diverged.
FAILED = 65_535


@dataclass(frozen=True)
class NetDesign:
    """A net's architecture, independent of its task and its training."""

    depth: int
    width: int
    activation: str
    normalization: str
    residual: bool

    def weight_shapes(self, features: int, classes: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of each weight, in the order of the flat vector.

        Args:
            features: Number of inputs.
            classes: Number of outputs.
        """
        shapes: dict[str, tuple[int, ...]] = {}
        if self.residual:
            shapes["past"] = (self.width, features)
        fans = [features, *[self.width] * self.depth]
        outs = [*fans[1:], classes]
        for i, (fan_in, fan_out) in enumerate(zip(fans, outs, strict=True)):
            shapes |= {f"w{i}": (fan_out, fan_in), f"b{i}": (fan_out,)}
        return shapes

    def parameter_count(self, features: int, classes: int) -> int:
        """Return the number of trained parameters.

        >>> NetDesign(1, 4, "relu", "none", False).parameter_count(2, 3)
        27
        """
        shapes = self.weight_shapes(features, classes).values()
        return sum(int(np.prod(shape)) for shape in shapes)

    def multiply_adds(self, features: int, classes: int) -> int:
        """Return the multiply-adds of the matrix products of one prediction.

        >>> NetDesign(1, 4, "relu", "none", True).multiply_adds(2, 3)
        28
        """
        shapes = self.weight_shapes(features, classes).values()
        return sum(int(np.prod(shape)) for shape in shapes if len(shape) == 2)


def all_codes() -> np.ndarray:
    """Return every architecture, the last decision changing fastest.

    Returns:
        uint8; shape (architecture, decision).
    """
    return np.indices(RADIX, np.uint8).reshape(len(RADIX), -1).T.copy()


def all_net_designs() -> list[NetDesign]:
    """Return every net design, in the order of the codes: one per chunk of recipes."""
    return [
        NetDesign(int(depth), int(width), activation, normalization, skip == "residual")
        for depth, width, activation, normalization, skip in itertools.product(
            *list(OPTIONS.values())[:_FORM]
        )
    ]
