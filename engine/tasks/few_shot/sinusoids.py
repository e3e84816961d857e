"""Sinusoids: few-shot sine regression.

Source: Finn, Abbeel and Levine (2017), arXiv:1703.03400, section 5.1.
Differs: noise on the support, and the ranges of the parameters, are knobs.
Helps: as the classic demonstration: from one initialization, one step fits any wave.
"""

from typing import ClassVar

import numpy as np

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Episode, generator
from engine.tasks import knobs
from engine.tasks.few_shot import _functions_1d
from engine.tasks.few_shot._family import EpisodeFamily


@register("family")
class Sinusoids(EpisodeFamily):
    """y = A sin(ω x − p) + σ n, A ~ U(a, b), p ~ U(0, π), x ~ U(−5, 5)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    output: ClassVar[str] = "value"

    shots: int = knobs.shots(10)
    queries: int = knobs.queries(10)
    train_shots: int = knobs.train_shots()
    train_queries: int = knobs.train_queries()
    train_tasks: int = knobs.train_tasks()
    amplitude_low: float = _functions_1d.amplitude_low_knob()
    amplitude_high: float = _functions_1d.amplitude_high_knob()
    phase_low: float = _functions_1d.phase_low_knob(0.0)
    phase: float = _functions_1d.phase_high_knob(1.0)
    frequency: float = _functions_1d.frequency_knob()
    noise: float = _functions_1d.noise_knob()

    def check(self) -> None:
        """Check that the ranges are not empty."""
        _functions_1d.check_range(
            self.amplitude_low, self.amplitude_high, "amplitude", "amplitude_low"
        )
        _functions_1d.check_range(self.phase_low, self.phase, "phase", "phase_low")

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Draw a wave, then its points; pools differ only by their streams."""
        rng = _functions_1d.limit_training_tasks(rng, pool, self.train_tasks)
        draw = generator(rng.child("data"))
        low, high = self.amplitude_low, self.amplitude_high
        first, second = draw.random(2).tolist()
        amplitude = low + (high - low) * first
        phase = np.pi * (self.phase_low + (self.phase - self.phase_low) * second)
        x = _functions_1d.draw_inputs(draw, self.queries + self.shots)
        y = amplitude * np.sin(self.frequency * x - phase)
        cut = self.queries, self.shots
        if not self.noise:
            return _functions_1d.curve_episode(x, y, cut, 0.0)
        # From a separate stream, so that more shots keep the noise of the first.
        apart = generator(rng.child("noise"))
        disturbed = _functions_1d.draw_noise(apart, self.noise, self.shots)
        return _functions_1d.curve_episode(x, y, cut, disturbed)
