"""Spirals: two intertwined arms, rotated and scaled per task.

Source: Lang and Witbrock (1988), the two-spirals problem.
Differs: fewer turns by default, and each task has its own rotation and size.
Helps: as the hard task in the plane: slow to learn, so that the rate matters for long.
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
class Spirals(DataFamily):
    """x = g R(φ) 2s (cos(2πns + πk), sin(2πns + πk)) + noise, s = √u, u ~ U(0, 1)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    plane: ClassVar[bool] = True

    turns: float = knob(
        0.75,
        label="Turns n",
        unit="turns",
        low=0.1,
        high=4.0,
        help="Turns of each arm; above 1, a small net needs many steps.",
    )
    noise: float = _plane_shapes.noise_knob(0.05)
    turn: float = _plane_shapes.turn_knob()
    gain: float = _plane_shapes.gain_knob()
    examples: int = knobs.examples(96)
    held_out: int = knobs.held_out(64)

    def sample(self, rng: Rng, pool: str) -> Sample:
        """Draw two arms around the origin."""
        how = (self.turn, self.gain, self.noise)
        return _plane_shapes.draw_plane_task(
            self._draw_arms, rng, (self.examples, self.held_out), how
        )

    def _draw_arms(
        self, draw: np.random.Generator, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        y = _plane_shapes.alternating_classes(count)
        # Points thin out less toward the end of an arm than with a uniform s.
        s = np.sqrt(draw.random(count))
        angle = 2 * np.pi * self.turns * s + np.pi * y
        return 2 * s * np.stack([np.cos(angle), np.sin(angle)]), y
