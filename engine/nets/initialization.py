"""Initial weights and layouts; a tensor's role follows from the start of its name.

Source: He et al. (2015), arXiv:1502.01852; Glorot and Bengio (2010); `torch.nn.Linear`
and `torch.nn.Conv2d` of PyTorch for its default, kaiming_uniform with a = √5; the code
of Finn, Abbeel and Levine (2017), arXiv:1703.03400, for the small normal.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.protocol import Layout, generator

Shapes = dict[str, tuple[int, ...]]
Start = Literal["he", "torch_default", "glorot", "small_normal"]
Shape = tuple[int, ...]
RUNNING = ("mean", "variance")
SMALL = 0.01  # standard deviation, before the tails are cut


def start_knob() -> Any:
    """Declare how a net's weights start; the default is the family's `net_start`."""
    return knob(
        "he",
        label="Initial weights",
        help="he: Gaussian, variance by fan-in and activation (2 / fan-in for relu), "
        "biases 0. torch_default: weights and biases uniform within ± 1 / √fan-in. "
        "glorot: uniform, variance 2 / (fan-in + fan-out), biases 0. small_normal: "
        "Gaussian of standard deviation 0.01, cut at ± 0.02, biases 0.",
        advanced=True,
        follows="net_start",
        before="he",
    )


def start_weights(
    layout: Layout,
    rng: Rng,
    start: Start,
    gain: float,
    gains: Mapping[str, float] | None = None,
) -> np.ndarray:
    """Draw weights and biases; shifts and means are 0, scales and variances 1.

    Args:
        layout: Names of weights begin with w, of biases and shifts with b, of scales
            with g, of running statistics with mean or variance. A b beside a g of the
            same suffix is the shift of a normalization.
        rng: Stream of this net.
        start: Which distribution the weights have.
        gain: For "he": variance of a weight × fan-in.
        gains: The same by name, for weights that differ.

    Returns:
        Float32, shape (weight,).
    """
    draw = generator(rng)
    shapes = dict(zip(layout.names, layout.shapes, strict=True))
    pieces = []
    for name, shape in shapes.items():
        if name.startswith("w"):
            drawn = _WEIGHTS[start](draw, shape, (gains or {}).get(name, gain))
        elif start == "torch_default" and _is_bias(name, shapes):
            drawn = _draw_uniform(draw, shape, 1.0 / _fan_in(shapes[f"w{name[1:]}"]))
        else:
            fill = 1.0 if name.startswith(("g", "variance")) else 0.0
            drawn = np.full(shape, fill)
        pieces.append(drawn.astype(np.float32).ravel())
    return np.concatenate(pieces)


def _is_bias(name: str, shapes: Mapping[str, Shape]) -> bool:
    """Return whether a tensor is the bias of weights, not a normalization's shift."""
    suffix = name[1:]
    return name[0] == "b" and f"w{suffix}" in shapes and f"g{suffix}" not in shapes


def _fan_in(shape: Shape) -> int:
    """Return all axes but the first, kernels included."""
    return math.prod(shape[1:])


def _draw_he(draw: np.random.Generator, shape: Shape, gain: float) -> np.ndarray:
    return draw.standard_normal(shape) * np.sqrt(gain / _fan_in(shape))


def _draw_torch(draw: np.random.Generator, shape: Shape, gain: float) -> np.ndarray:
    return _draw_uniform(draw, shape, 1.0 / _fan_in(shape))


def _draw_glorot(draw: np.random.Generator, shape: Shape, gain: float) -> np.ndarray:
    # Fan-out: outputs × kernel, as both fans count the pixels of a kernel.
    fan_out = shape[0] * math.prod(shape[2:])
    return _draw_uniform(draw, shape, 6.0 / (_fan_in(shape) + fan_out))


def _draw_small(draw: np.random.Generator, shape: Shape, gain: float) -> np.ndarray:
    drawn = draw.standard_normal(shape)
    # Beyond two standard deviations it is drawn again, as TensorFlow does.
    while (far := np.abs(drawn) > 2.0).any():
        drawn[far] = draw.standard_normal(int(far.sum()))
    return drawn * SMALL


def _draw_uniform(draw: np.random.Generator, shape: Shape, square: float) -> np.ndarray:
    """Draw uniformly between minus and plus the root of `square`."""
    bound = math.sqrt(square)
    return draw.uniform(-bound, bound, shape)


_WEIGHTS: dict[Start, Callable[[np.random.Generator, Shape, float], np.ndarray]] = {
    "he": _draw_he,
    "torch_default": _draw_torch,
    "glorot": _draw_glorot,
    "small_normal": _draw_small,
}


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
