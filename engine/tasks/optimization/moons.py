"""Moons: two interleaved half circles, rotated and scaled per task.

Source: the two-moons set known from scikit-learn's `make_moons`.
Differs: each task has its own rotation and size, so that it is a distribution.
Helps: as a curved boundary that a small net can still learn.
"""

from typing import ClassVar

import numpy as np

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample
from engine.tasks import knobs
from engine.tasks.optimization import _plane_shapes
from engine.tasks.optimization._supervised import DataFamily


@register("family")
class Moons(DataFamily):
    """x = g R(φ)((cos t, sin t) or (1 − cos t, δ − sin t)) + noise, t ~ U(0, π)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    plane: ClassVar[bool] = True

    gap: float = knob(
        0.5,
        label="Interlock δ",
        low=-2.0,
        high=2.0,
        help="How far the moons reach into each other; below 0 they are separate.",
    )
    noise: float = _plane_shapes.noise_knob(0.1)
    turn: float = _plane_shapes.turn_knob()
    gain: float = _plane_shapes.gain_knob()
    examples: int = knobs.examples(64)
    held_out: int = knobs.held_out(64)

    def sample(self, rng: Rng, pool: str) -> Sample:
        """Draw two moons, centered at the origin."""
        how = (self.turn, self.gain, self.noise)
        return _plane_shapes.draw_plane_task(
            self._draw_moons, rng, (self.examples, self.held_out), how
        )

    def _draw_moons(
        self, draw: np.random.Generator, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        y = _plane_shapes.alternating_classes(count)
        t = np.pi * draw.random(count)
        side = 1 - 2 * y
        x = np.stack([side * np.cos(t) + y - 0.5, side * np.sin(t) + y * self.gap])
        x[1] -= self.gap / 2
        return x, y
