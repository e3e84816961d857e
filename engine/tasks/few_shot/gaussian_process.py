"""Gaussian process functions: few-shot regression of smooth or periodic curves.

Source: the function draws of Garnelo et al. (2018), arXiv:1807.01613, section 4.1;
kernels of Rasmussen and Williams (2006), chapter 4.
Differs: inputs lie in (−5, 5), and there are few shots, as for the sinusoids.
Helps: as tasks without a parametric form: only the correlation between points can be
learned, and a Gaussian process with this kernel is optimal.
"""

from typing import ClassVar, Literal

import numpy as np

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Episode, generator
from engine.tasks import knobs
from engine.tasks.few_shot import _functions_1d
from engine.tasks.few_shot._family import EpisodeFamily

# Share of the variance; without it, a smooth kernel's matrix has no Cholesky factor.
JITTER = 1e-8


@register("family")
class GaussianProcess(EpisodeFamily):
    """y = A f(ω x) + σ n, f ~ GP(0, k), k = exp(−d²/2ℓ²) or exp(−2 sin²(πd/p)/ℓ²)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    output: ClassVar[str] = "value"

    shots: int = knobs.shots(10)
    queries: int = knobs.queries(10)
    train_shots: int = knobs.train_shots()
    train_queries: int = knobs.train_queries()
    kernel: Literal["rbf", "periodic"] = knob(
        "rbf",
        label="Kernel k",
        help="rbf: smooth, distant points are independent; periodic: repeats itself.",
    )
    length_scale: float = knob(
        1.0,
        label="Length scale ℓ",
        low=0.05,
        high=20.0,
        log=True,
        help="Distance over which values are correlated; less makes rougher functions.",
    )
    period: float = knob(
        4.0,
        label="Period p",
        low=0.2,
        high=50.0,
        help="Period of the periodic kernel's functions.",
        advanced=True,
    )
    amplitude_low: float = _functions_1d.amplitude_low_knob(1.0)
    amplitude_high: float = _functions_1d.amplitude_high_knob(1.0)
    frequency: float = _functions_1d.frequency_knob()
    noise: float = _functions_1d.noise_knob()

    def check(self) -> None:
        """Check that the range of amplitudes is not empty."""
        _functions_1d.check_range(
            self.amplitude_low, self.amplitude_high, "amplitude", "amplitude_low"
        )

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Draw inputs, then the function at all of them jointly.

        Training tasks are never plotted, so meta-training leaves out the plot's grid;
        it comes last and does not change the other points.
        """
        draw = generator(rng.child("data"))
        low, high = self.amplitude_low, self.amplitude_high
        amplitude = low + (high - low) * draw.random()
        count = self.queries + self.shots
        x = _functions_1d.draw_inputs(draw, count, grid=pool != "train")
        factor = np.linalg.cholesky(self.covariance(x))
        # A lower-triangular factor: more points leave the values at earlier ones.
        normal = generator(rng.child("function")).standard_normal(len(x))
        disturbed: np.ndarray | float = 0.0
        if self.noise:
            apart = generator(rng.child("noise"))
            disturbed = _functions_1d.draw_noise(apart, self.noise, self.shots)
        y = amplitude * (factor @ normal)
        return _functions_1d.curve_episode(x, y, (self.queries, self.shots), disturbed)

    def covariance(self, x: np.ndarray) -> np.ndarray:
        """Return the kernel matrix.

        Args:
            x: Inputs; shape (point,).

        Returns:
            float64, shape (point, point), with `JITTER` on the diagonal.
        """
        gap = self.frequency * np.abs(x[:, None] - x)
        if self.kernel == "periodic":
            wave = np.sin(np.pi * gap / self.period) / self.length_scale
            matrix = np.exp(-2.0 * wave * wave)
        else:
            matrix = np.exp(-0.5 * (gap / self.length_scale) ** 2)
        matrix[np.diag_indices(len(x))] += JITTER
        return np.asarray(matrix)
