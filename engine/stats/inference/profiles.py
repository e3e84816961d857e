"""Many scores as one picture, and many claims at once.

Source: Agarwal et al. (2021), arXiv:2108.13264; Holm (1979), Scandinavian
Journal of Statistics 6.
"""

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.inference.intervals import Band, mean_band


def performance_profile(values: Floats, levels: Floats) -> Band:
    """Return the share of tasks at or below each level, with its 95 % band.

    Args:
        values: One number a task, less is better; shape (replicate, task). NaN
            (diverged) is at no level.
        levels: Where to look; shape (level,).

    >>> performance_profile(np.array([[1.0, 2.0], [1.0, np.nan]]), np.array([1.5])).mean
    array([0.5])
    """
    below = np.asarray(values)[..., None] <= levels
    band = mean_band(below.astype(np.float64))
    return Band(
        band.mean, np.clip(band.low, 0.0, 1.0), np.clip(band.high, 0.0, 1.0), band.n
    )


def holm(p: Floats) -> Floats:
    """Return p-values that bear having been looked at together.

    The chance that any true "no difference" falls below 5 % is at most 5 %.
    NaN (no test was possible) stays NaN and costs the others nothing.

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p)[: int(np.isfinite(p).sum())]
    left = np.arange(len(order), 0, -1)
    adjusted = np.full(p.shape, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * left), 1.0)
    return adjusted
