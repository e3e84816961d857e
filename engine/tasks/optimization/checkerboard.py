"""Checkerboard: the class is the color of the square that a point lies on.

Source: Ho and Kleinberg (1996), the checkerboard problem.
Differs: each task has its own rotation, size and position of the board.
Helps: for a boundary with many corners; boards finer than 4 × 4 need a wide net.
"""

from typing import ClassVar

import numpy as np

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample, generator
from engine.tasks import knobs
from engine.tasks.optimization import _plane_shapes
from engine.tasks.optimization._supervised import DataFamily


@register("family")
class Checkerboard(DataFamily):
    """x = g R(φ) u + noise, u ~ U(−2, 2)², y = (⌊u₁/s + p₁⌋ + ⌊u₂/s + p₂⌋) mod 2."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    plane: ClassVar[bool] = True

    squares: float = knob(
        2.0,
        label="Squares per side",
        unit="squares",
        low=1.0,
        high=12.0,
        help="Squares along one side of the region; more are harder.",
    )
    slide: float = knob(
        0.5,
        label="Slide",
        unit="squares",
        low=0.0,
        high=1.0,
        help="The board is shifted by U(−slide, slide) squares in each direction.",
    )
    noise: float = _plane_shapes.noise_knob(0.02)
    turn: float = _plane_shapes.turn_knob()
    gain: float = _plane_shapes.gain_knob()
    examples: int = knobs.examples(96)
    held_out: int = knobs.held_out(64)

    def sample(self, rng: Rng, pool: str) -> Sample:
        """Draw the board's position, then points on it."""
        slide = self.slide * generator(rng.child("board")).uniform(-1, 1, (2, 1))

        def draw_points(
            draw: np.random.Generator, count: int
        ) -> tuple[np.ndarray, np.ndarray]:
            u = draw.uniform(-2.0, 2.0, (2, count))
            square = np.floor(u * self.squares / 4.0 + slide + self.squares / 2.0)
            return u, square.sum(0).astype(np.int64) % 2

        how = (self.turn, self.gain, self.noise)
        return _plane_shapes.draw_plane_task(
            draw_points, rng, (self.examples, self.held_out), how
        )
