"""Initial weights and layouts; a tensor's role follows from the start of its name."""

import math
from collections.abc import Mapping

import numpy as np

from engine.contract.rng import Rng
from engine.protocol import Layout, generator

Shapes = dict[str, tuple[int, ...]]
RUNNING = ("mean", "variance")


def start_weights(
    layout: Layout, rng: Rng, gain: float, gains: Mapping[str, float] | None = None
) -> np.ndarray:
    """Draw Gaussian weights; shifts and means are 0, scales and variances 1.

    Args:
        layout: Names of weights begin with w, of shifts with b, of scales with g, of
            running statistics with mean or variance.
        rng: Stream of this net.
        gain: Variance of a weight × fan-in.
        gains: The same by name, for weights that differ.

    Returns:
        Float32, shape (weight,).
    """
    draw = generator(rng)
    pieces = []
    for name, shape in zip(layout.names, layout.shapes, strict=True):
        if not name.startswith("w"):
            fill = 1.0 if name.startswith(("g", "variance")) else 0.0
            pieces.append(np.full(math.prod(shape), fill, np.float32))
            continue
        own = (gains or {}).get(name, gain)
        # Fan-in: all axes but the first, kernels included.
        scale = np.sqrt(own / math.prod(shape[1:]))
        drawn = draw.standard_normal(shape) * scale
        pieces.append(drawn.astype(np.float32).ravel())
    return np.concatenate(pieces)


def make_layout(layers: list[Shapes]) -> Layout:
    """Return the layout of a net.

    Args:
        layers: Each layer's names and shapes, from input to head.
    """
    shapes = {name: shape for layer in layers for name, shape in layer.items()}
    return Layout(
        tuple(shapes),
        tuple(shapes.values()),
        tuple(tuple(layer) for layer in layers),
        tuple(name for name in shapes if name.startswith(RUNNING)),
    )
