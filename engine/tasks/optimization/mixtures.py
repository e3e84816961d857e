"""Gaussian mixtures: two classes in the plane, several modes each.

Source: ours, after the two-class Gaussian tasks of the learned-rate literature.
Differs: tuned SGD solves one mode per class in a single step, so each class has
several; a gain and a stretch per task make the best rate differ between tasks.
Helps: as the default: small enough to visualize, hard enough that the rate matters.
"""

from typing import ClassVar

import numpy as np

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample, generator
from engine.tasks.optimization._supervised import DataFamily


@register("family")
class Mixtures(DataFamily):
    """x = g·diag(s, 1)·(c_m + σ n), c_m ~ U(−r, r)², the class is the mode's."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    plane: ClassVar[bool] = True

    modes: int = knob(
        4,
        label="Modes per class",
        unit="modes",
        low=1,
        high=16,
        help="More modes make a more complex boundary.",
    )
    radius: float = knob(
        2.0,
        label="Spread of centers r",
        low=0.1,
        high=20.0,
        help="Centers are drawn from the square of this half-width.",
    )
    noise: float = knob(
        0.3,
        label="Mode width σ",
        low=0.0,
        high=5.0,
        help="Standard deviation within a mode; more makes classes overlap.",
    )
    stretch: float = knob(
        3.0,
        label="Stretch of x₁",
        unit="×",
        low=0.05,
        high=20.0,
        log=True,
        help="Scales every task's first input: ill-conditioning.",
    )
    gain: float = knob(
        1.0,
        label="Gain spread",
        unit="ln ×",
        low=0.0,
        high=3.0,
        help="Each task is scaled by exp U(−spread, spread): no rate fits all tasks.",
    )
    examples: int = knob(
        64,
        label="Training points",
        unit="points",
        low=4,
        high=2048,
        work="rows",
        help="Points that the base learner is trained on.",
    )
    held_out: int = knob(
        64,
        label="Held-out points",
        unit="points",
        low=2,
        high=2048,
        work="rows",
        help="Fresh points of the same task, for accuracy.",
        advanced=True,
    )

    def sample(self, rng: Rng, pool: str) -> Sample:
        """Draw centers, then points; pools differ only by their streams."""
        draw = generator(rng.child("data"))
        centers = draw.uniform(-self.radius, self.radius, (2 * self.modes, 2))
        gain = np.exp(draw.uniform(-self.gain, self.gain))
        scale = gain * np.array([self.stretch, 1.0])
        x, y = _draw_points(draw, centers, self.noise, self.examples)
        held_x, held_y = _draw_points(draw, centers, self.noise, self.held_out)
        warp = scale[:, None].astype(np.float32)
        return Sample(x * warp, y, held_x * warp, held_y, outputs=2)


def _draw_points(
    draw: np.random.Generator, centers: np.ndarray, noise: float, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw points (2, count), classes alternating so that both are present."""
    modes = len(centers) // 2
    # Even centers belong to class 0, odd ones to class 1.
    y = np.arange(count) % 2
    mode = 2 * draw.integers(0, modes, count) + y
    x = centers[mode] + noise * draw.standard_normal((count, 2))
    return x.T.astype(np.float32), y.astype(np.int64)
