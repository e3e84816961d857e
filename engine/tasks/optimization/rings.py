"""Rings: concentric rings that alternate between two classes.

Source: the concentric-circles set known from scikit-learn's `make_circles`.
Differs: any number of rings; each task has its own size, and its rings are ellipses.
Helps: as a task on which a linear model stays at chance.
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
class Rings(DataFamily):
    """x = g R(φ) diag(e, 1) r (cos t, sin t) + noise, y = (r − 1) mod 2, r = 1 … n."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    plane: ClassVar[bool] = True

    rings: int = knob(
        2,
        label="Rings n",
        unit="rings",
        low=2,
        high=8,
        help="Rings around the origin; more make a more complex boundary.",
    )
    stretch: float = knob(
        1.5,
        label="Ellipse e",
        unit="×",
        low=0.05,
        high=20.0,
        log=True,
        help="Axis ratio of each ring: ill-conditioning.",
    )
    noise: float = _plane_shapes.noise_knob(0.15)
    turn: float = _plane_shapes.turn_knob()
    gain: float = _plane_shapes.gain_knob()
    examples: int = knobs.examples(64)
    held_out: int = knobs.held_out(64)

    def sample(self, rng: Rng, pool: str) -> Sample:
        """Draw rings around the origin."""
        how = (self.turn, self.gain, self.noise)
        return _plane_shapes.draw_plane_task(
            self._draw_rings, rng, (self.examples, self.held_out), how
        )

    def _draw_rings(
        self, draw: np.random.Generator, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        ring = 1 + np.arange(count) % self.rings
        t = 2 * np.pi * draw.random(count)
        size = 2.0 * ring / self.rings
        x = np.stack([self.stretch * size * np.cos(t), size * np.sin(t)])
        return x, (ring - 1) % 2
