"""Ambiguous functions: noisy points that may come from a line or from a sine wave.

Source: Finn, Xu and Levine (2018), arXiv:1806.02817, section 5.1.
Differs: the noise and the ranges of the sine waves are knobs.
Helps: to see whether a learner knows what it does not know: a few noisy points leave
open which function they come from, so one curve cannot be right.
"""

from typing import ClassVar

import numpy as np

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Episode, generator
from engine.tasks import knobs
from engine.tasks.few_shot import _functions_1d
from engine.tasks.few_shot._family import EpisodeFamily


@register("family")
class AmbiguousFunctions(EpisodeFamily):
    """y = s x + c + σ n or A sin(ω x − p) + σ n, half each; s, c ~ U(−3, 3)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    output: ClassVar[str] = "value"

    shots: int = knobs.shots(5)
    queries: int = knobs.queries(10)
    train_shots: int = knobs.train_shots()
    train_queries: int = knobs.train_queries()
    train_tasks: int = knobs.train_tasks()
    slope: float = knob(
        3.0,
        label="Largest slope",
        low=0.0,
        high=50.0,
        help="Slopes and intercepts of the lines are uniform between ± this value.",
    )
    amplitude_low: float = _functions_1d.amplitude_low_knob()
    amplitude_high: float = _functions_1d.amplitude_high_knob()
    phase_low: float = _functions_1d.phase_low_knob(0.0)
    phase: float = _functions_1d.phase_high_knob(1.0)
    frequency: float = _functions_1d.frequency_knob()
    noise: float = knob(
        0.3,
        label="Noise σ",
        low=0.0,
        high=5.0,
        help="Standard deviation on the targets of support and queries; the plotted "
        "function is exact.",
    )

    def check(self) -> None:
        """Check that the ranges are not empty."""
        _functions_1d.check_range(
            self.amplitude_low, self.amplitude_high, "amplitude", "amplitude_low"
        )
        _functions_1d.check_range(self.phase_low, self.phase, "phase", "phase_low")

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Draw a line or a wave, then its points; pools differ by their streams."""
        rng = _functions_1d.limit_training_tasks(rng, pool, self.train_tasks)
        draw = generator(rng.child("data"))
        which, first, second = draw.random(3).tolist()
        x = _functions_1d.draw_inputs(draw, self.queries + self.shots)
        y = self._wave(x, first, second)
        if which < 0.5:
            y = self.slope * ((2.0 * first - 1.0) * x + (2.0 * second - 1.0))
        cut = self.queries, self.shots
        # From a separate stream, so that more shots keep the noise of the first.
        apart = generator(rng.child("noise"))
        disturbed = _functions_1d.draw_noise(apart, self.noise, sum(cut))
        held, shown = disturbed[: self.queries], disturbed[self.queries :]
        return _functions_1d.curve_episode(x, y, cut, shown, held)

    def _wave(self, x: np.ndarray, first: float, second: float) -> np.ndarray:
        low, high = self.amplitude_low, self.amplitude_high
        amplitude = low + (high - low) * first
        phase = np.pi * (self.phase_low + (self.phase - self.phase_low) * second)
        return np.asarray(amplitude * np.sin(self.frequency * x - phase))
