"""The decisions of Mosaic, and what a net costs: counted, never measured."""

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
# What is decided of a net's form; the rest decides how it is trained.
_FORM = 5
RADIX = tuple(len(options) for options in OPTIONS.values())
RECIPES = tuple(itertools.product(*list(OPTIONS.values())[_FORM:]))
# Forward, and backward to the weights and to the inputs of each layer.
PASSES = 3
# Stands in the counts for a training whose answers were not finite.
FAILED = 65_535


@dataclass(frozen=True)
class NetDesign:
    """What a net is, whatever it learns and however it is trained."""

    depth: int
    width: int
    activation: str
    normalization: str
    residual: bool

    def weight_shapes(self, features: int, classes: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of each weight, in the order of the flat vector."""
        shapes: dict[str, tuple[int, ...]] = {}
        if self.residual:
            shapes["past"] = (self.width, features)
        fans = [features, *[self.width] * self.depth]
        outs = [*fans[1:], classes]
        for i, (fan_in, fan_out) in enumerate(zip(fans, outs, strict=True)):
            shapes |= {f"w{i}": (fan_out, fan_in), f"b{i}": (fan_out,)}
        return shapes

    def parameter_count(self, features: int, classes: int) -> int:
        """Return how many numbers are trained.

        >>> NetDesign(1, 4, "relu", "none", False).parameter_count(2, 3)
        27
        """
        shapes = self.weight_shapes(features, classes).values()
        return sum(int(np.prod(shape)) for shape in shapes)

    def multiply_adds(self, features: int, classes: int) -> int:
        """Return how many multiply-adds the products of one prediction take.

        >>> NetDesign(1, 4, "relu", "none", True).multiply_adds(2, 3)
        28
        """
        shapes = self.weight_shapes(features, classes).values()
        return sum(int(np.prod(shape)) for shape in shapes if len(shape) == 2)


def all_codes() -> np.ndarray:
    """Return every architecture, the last decision changing fastest; uint8."""
    return np.indices(RADIX, np.uint8).reshape(len(RADIX), -1).T.copy()


def all_net_designs() -> list[NetDesign]:
    """Return every form, in the order of the codes: one for each chunk of recipes."""
    return [
        NetDesign(int(depth), int(width), activation, normalization, skip == "residual")
        for depth, width, activation, normalization, skip in itertools.product(
            *list(OPTIONS.values())[:_FORM]
        )
    ]
