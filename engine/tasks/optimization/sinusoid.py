"""Sinusoid: regression of a sine wave of random amplitude and phase.

Source: Finn, Abbeel and Levine (2017), arXiv:1703.03400, section 5.1.
Differs: the base learner is trained from scratch, on more than the 10 few-shot points.
Helps: as the classic regression task; with amplitudes from 0.1 to 5, losses differ by a
factor of 2,500 between tasks, so no rate fits all.
"""

from typing import ClassVar

import numpy as np

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample, generator
from engine.tasks import knobs
from engine.tasks.optimization._supervised import DataFamily


@register("family")
class Sinusoid(DataFamily):
    """y = A sin(x − φ) + ε n, A ~ U(0.1, A₁), φ ~ U(0, π), x ~ U(−5, 5)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    output: ClassVar[str] = "value"
    rate: ClassVar[float] = 0.005

    amplitude: float = knob(
        5.0,
        label="Largest amplitude A₁",
        low=0.1,
        high=50.0,
        help="Amplitudes are drawn uniformly from 0.1 to this.",
    )
    noise: float = knob(
        0.0,
        label="Noise ε",
        low=0.0,
        high=10.0,
        help="Standard deviation of the noise on the targets.",
    )
    examples: int = knobs.examples(64)
    held_out: int = knobs.held_out(64)

    def sample(self, rng: Rng, pool: str) -> Sample:
        """Draw a wave, then points on it."""
        draw = generator(rng.child("data"))
        size = draw.uniform(0.1, self.amplitude)
        phase = draw.uniform(0.0, np.pi)
        x, y = self._draw_points(draw, size, phase, self.examples)
        held_x, held_y = self._draw_points(draw, size, phase, self.held_out)
        return Sample(x, y, held_x, held_y, outputs=1)

    def _draw_points(
        self, draw: np.random.Generator, size: float, phase: float, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        x = draw.uniform(-5.0, 5.0, (1, count))
        y = size * np.sin(x[0] - phase) + self.noise * draw.standard_normal(count)
        return x.astype(np.float32), y.astype(np.float32)
