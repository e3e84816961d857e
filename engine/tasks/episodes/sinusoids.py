"""Sinusoids: few points of a wave, the rest to be told.

Source: Finn, Abbeel and Levine (2017), arXiv:1703.03400, section 5.1.
Differs: noise on the support and a wider or narrower range are knobs.
Helps: the first picture of meta-learning: one start, every wave in a step.
"""

from typing import ClassVar

import numpy as np

from engine.contract.knobs import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Episode, generator
from engine.tasks import sizes
from engine.tasks.episodic import EpisodeFamily

POINTS = 101


@register("family")
class Sinusoids(EpisodeFamily):
    """y = A sin(ω x − p) + σ n, A ~ U(a, b), p ~ U(0, π), x ~ U(−5, 5)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"episodes"})
    output: ClassVar[str] = "value"

    shots: int = sizes.shots(10)
    queries: int = sizes.queries(10)
    amplitude_low: float = knob(
        0.1, label="Smallest amplitude", low=0.0, high=50.0,
        help="Amplitudes are drawn evenly from here …",
    )  # fmt: skip
    amplitude_high: float = knob(
        5.0, label="Largest amplitude", low=0.0, high=50.0, help="… to here."
    )
    phase: float = knob(
        1.0, label="Phases", unit="× π", low=0.0, high=4.0,
        help="Phases are drawn evenly from 0 to this; 2 is every phase.",
    )  # fmt: skip
    frequency: float = knob(
        1.0, label="Frequency ω", unit="rad", low=0.05, high=10.0,
        help="The same for all waves.", advanced=True,
    )  # fmt: skip
    noise: float = knob(
        0.0, label="Noise σ", low=0.0, high=5.0,
        help="Standard deviation on the support; queries have none.",
    )  # fmt: skip

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Draw a wave, then its points; pools differ by their stream alone."""
        draw = generator(rng.child("data"))
        count = self.shots + self.queries
        spread = self.amplitude_high - self.amplitude_low
        amplitude = self.amplitude_low + spread * draw.random()
        phase = self.phase * np.pi * draw.random()
        x = 10.0 * draw.random(count) - 5.0
        noise = self.noise * draw.standard_normal(self.shots)
        grid = np.linspace(-5.0, 5.0, POINTS)
        every = np.concatenate([x, grid])
        wave = amplitude * np.sin(self.frequency * every - phase)
        y = wave[:count].astype(np.float32)
        y[: self.shots] += noise
        inputs = x.astype(np.float32)[None]
        return Episode(
            x=inputs[:, : self.shots],
            y=y[: self.shots],
            held_x=inputs[:, self.shots :],
            held_y=y[self.shots :],
            outputs=1,
            shape=(1,),
            truth=np.stack([grid, wave[count:]]).astype(np.float32),
        )
