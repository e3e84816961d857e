"""Distributions of two-class shapes in the plane: rotated, scaled, with noise."""

from collections.abc import Callable

import numpy as np

from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.protocol import Sample, generator

DrawShape = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


def turn_knob() -> float:
    """Declare how far a task may be rotated."""
    return knob(  # type: ignore[no-any-return]
        180.0,
        label="Turn",
        unit="degrees",
        low=0.0,
        high=180.0,
        help="Each task is rotated by U(−turn, turn).",
    )


def gain_knob() -> float:
    """Declare how much tasks differ in size."""
    return knob(  # type: ignore[no-any-return]
        0.7,
        label="Gain spread",
        unit="ln ×",
        low=0.0,
        high=3.0,
        help="Each task is scaled by exp U(−spread, spread): no rate fits all tasks.",
    )


def noise_knob(default: float) -> float:
    """Declare the noise around a shape."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Noise σ",
        low=0.0,
        high=5.0,
        help="Standard deviation around the shape; more makes classes overlap.",
    )


def draw_plane_task(
    shape: DrawShape, rng: Rng, counts: tuple[int, int], how: tuple[float, float, float]
) -> Sample:
    """Draw a two-class task of a shape, rotated and scaled as a whole.

    Args:
        shape: (generator, count) → points (2, count) and classes (count,).
        rng: The task's stream.
        counts: Numbers of training and held-out points.
        how: The family's knobs: turn in degrees, gain spread and noise.
    """
    turn, gain, noise = how
    draw = generator(rng.child("data"))
    angle = np.deg2rad(draw.uniform(-turn, turn)) if turn else 0.0
    size = np.exp(draw.uniform(-gain, gain))
    cos, sin = size * np.cos(angle), size * np.sin(angle)
    matrix = np.array([[cos, -sin], [sin, cos]])
    x, y = shape(draw, counts[0])
    # Noise comes before the matrix, so it is scaled along with the shape.
    x = x + noise * draw.standard_normal(x.shape)
    held_x, held_y = shape(draw, counts[1])
    held_x = held_x + noise * draw.standard_normal(held_x.shape)
    return Sample(
        (matrix @ x).astype(np.float32),
        y,
        (matrix @ held_x).astype(np.float32),
        held_y,
        outputs=2,
    )


def alternating_classes(count: int) -> np.ndarray:
    """Return classes 0, 1, 0, 1, …, so that both are present.

    >>> alternating_classes(3).tolist()
    [0, 1, 0]
    """
    return np.arange(count) % 2
