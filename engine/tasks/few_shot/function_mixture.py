"""Function mixture: few-shot regression of sine waves, lines, parabolas and steps.

Source: the heterogeneous tasks of Vuorio et al. (2019), arXiv:1910.13616.
Differs: all kinds share amplitude, phase and frequency, so that a shift affects them
alike; steps replace their other two kinds; shares and noise are knobs.
Helps: to see the limits of a single initialization: it is far from most of these tasks.
"""

from typing import ClassVar

import numpy as np

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Episode, generator
from engine.tasks import knobs
from engine.tasks.few_shot import _functions_1d
from engine.tasks.few_shot._family import EpisodeFamily


def _share_knob(label: str) -> float:
    return knob(  # type: ignore[no-any-return]
        1.0,
        label=label,
        unit="parts",
        low=0.0,
        high=10.0,
        help="Relative share of the tasks; 0 leaves this kind out.",
    )


@register("family")
class FunctionMixture(EpisodeFamily):
    """y = ±A g(ω x − p) + σ n; g(z) = sin z, z/5, 2(z/5)² − 1 or sgn z."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    output: ClassVar[str] = "value"

    shots: int = knobs.shots(10)
    queries: int = knobs.queries(10)
    train_shots: int = knobs.train_shots()
    train_queries: int = knobs.train_queries()
    sinusoids: float = _share_knob("Sinusoids")
    lines: float = _share_knob("Lines")
    parabolas: float = _share_knob("Parabolas")
    steps: float = _share_knob("Steps")
    amplitude_low: float = _functions_1d.amplitude_low_knob()
    amplitude_high: float = _functions_1d.amplitude_high_knob()
    phase_low: float = _functions_1d.phase_low_knob(-0.5)
    phase: float = _functions_1d.phase_high_knob(0.5)
    frequency: float = _functions_1d.frequency_knob()
    noise: float = _functions_1d.noise_knob()

    def check(self) -> None:
        """Check that ranges and mixture are not empty."""
        _functions_1d.check_range(
            self.amplitude_low, self.amplitude_high, "amplitude", "amplitude_low"
        )
        _functions_1d.check_range(self.phase_low, self.phase, "phase", "phase_low")
        if not sum(self._shares()):
            raise Refused(
                "Every kind of function has 0 parts; give at least one of them more, "
                "up to 10",
                "sinusoids",
            )

    def _shares(self) -> tuple[float, float, float, float]:
        return self.sinusoids, self.lines, self.parabolas, self.steps

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Draw a kind of function, then its parameters, then points."""
        draw = generator(rng.child("data"))
        which, sign, first, second = draw.random(4).tolist()
        low, high = self.amplitude_low, self.amplitude_high
        amplitude = (low + (high - low) * first) * (1.0 if sign < 0.5 else -1.0)
        phase = np.pi * (self.phase_low + (self.phase - self.phase_low) * second)
        x = _functions_1d.draw_inputs(draw, self.queries + self.shots)
        # Inverse transform sampling over the kinds; shares need not sum to 1.
        kind = int((np.cumsum(self._shares()) <= which * sum(self._shares())).sum())
        y = amplitude * unit_function(kind, self.frequency * x - phase)
        disturbed: np.ndarray | float = 0.0
        if self.noise:
            apart = generator(rng.child("noise"))
            disturbed = _functions_1d.draw_noise(apart, self.noise, self.shots)
        return _functions_1d.curve_episode(x, y, (self.queries, self.shots), disturbed)


def unit_function(kind: int, z: np.ndarray) -> np.ndarray:
    """Evaluate a function of amplitude 1.

    Args:
        kind: 0 sine, 1 line, 2 parabola, 3 step.
        z: Inputs; any shape.

    Returns:
        Values from −1 to 1 for z between −5 and 5; the same shape.

    >>> [unit_function(kind, np.array([0.0, 5.0])).round(2).tolist() for kind in (1,
    ...     2, 3)]
    [[0.0, 1.0], [-1.0, 1.0], [1.0, 1.0]]
    """
    if kind == 0:
        return np.asarray(np.sin(z))
    if kind == 1:
        return z / _functions_1d.SPAN
    if kind == 2:
        return 2.0 * (z / _functions_1d.SPAN) ** 2 - 1.0
    return np.where(z >= 0.0, 1.0, -1.0)
