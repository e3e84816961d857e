"""Candidate tests of a mean of 0; each takes (run, unit) and returns p-values (run,).

Source: Hall (1988), Annals of Statistics 16(3), for the bootstraps; Johnson (1978),
JASA 73(363); Yuen (1974), Biometrika 61(1).
"""

from collections.abc import Iterator

import numpy as np
from scipy.special import stdtr

from engine.stats.array_types import Bools, Floats
from engine.stats.inference.skewed_mean import p_values_of_means

DRAWS = 4999
CHUNK = 250  # runs at a time; their resamples fill the memory


def student(units: Floats) -> Floats:
    """Student's t."""
    return _student_p(_t(units), units.shape[1])


def symmetric_bootstrap(units: Floats) -> Floats:
    """Bootstrap-t of |t|, never below Student's p."""
    t = np.abs(_t(units))[:, None]
    shares = [_share(np.abs(drawn) >= t[at]) for at, drawn in _bootstrap_t(units)]
    return np.maximum(np.concatenate(shares), student(units))


def equal_tailed_bootstrap(units: Floats) -> Floats:
    """Bootstrap-t, each tail by itself."""
    t, found = _t(units)[:, None], []
    for at, drawn in _bootstrap_t(units):
        above, below = _share(drawn >= t[at]), _share(drawn <= t[at])
        found.append(np.minimum(1.0, 2 * np.minimum(above, below)))
    return np.concatenate(found)


def sign_flip(units: Floats) -> Floats:
    """Permutation test by random signs."""
    draw = np.random.default_rng(2)
    signs = draw.choice([-1.0, 1.0], (units.shape[1], DRAWS))
    size = np.abs(units.sum(1))[:, None] * (1 - 1e-9)
    return np.concatenate(
        [_share(np.abs(units[at] @ signs) >= size[at]) for at in _chunks(len(units))]
    )


def bootstrap_and_signs(units: Floats) -> Floats:
    """Both must agree: equal-tailed bootstrap-t and sign flips."""
    return np.maximum(equal_tailed_bootstrap(units), sign_flip(units))


def johnson(units: Floats) -> Floats:
    """Johnson's skew-corrected t."""
    n, t = units.shape[1], _t(units)
    g = _skewness(units)
    return _student_p(t + g / (6 * n**0.5) + g * t**2 / (3 * n**0.5), n)


def yuen(units: Floats) -> Floats:
    """Mean without the lowest and highest fifth: another mean, and another null."""
    n = units.shape[1]
    cut = int(0.2 * n)
    ordered = np.sort(units, axis=1)
    kept = ordered[:, cut : n - cut]
    wins = np.clip(ordered, kept[:, :1], kept[:, -1:])
    error = wins.std(1, ddof=1) / ((1 - 2 * cut / n) * n**0.5)
    return _student_p(kept.mean(1) / error, n - 2 * cut)


def skew_corrected(units: Floats) -> Floats:
    """Student's t and Hall's, as the lab has it."""
    return p_values_of_means(units)


TESTS = (
    student,
    symmetric_bootstrap,
    equal_tailed_bootstrap,
    sign_flip,
    bootstrap_and_signs,
    johnson,
    yuen,
    skew_corrected,
)


def _t(units: Floats) -> Floats:
    return units.mean(1) / (units.std(1, ddof=1) / units.shape[1] ** 0.5)


def _student_p(t: Floats, n: int) -> Floats:
    return np.asarray(2 * stdtr(n - 1.0, -np.abs(t)))


def _skewness(units: Floats) -> Floats:
    n = units.shape[1]
    apart = units - units.mean(1, keepdims=True)
    third = (apart**3).sum(1) * n / ((n - 1) * (n - 2))
    return np.asarray(third / units.std(1, ddof=1) ** 3)


def _share(hits: Bools) -> Floats:
    """Return p-values of resamples; the sample itself counts as one of them."""
    return (1 + hits.sum(1)) / (1 + hits.shape[1])


def _chunks(runs: int) -> list[slice]:
    return [slice(first, first + CHUNK) for first in range(0, runs, CHUNK)]


def _bootstrap_t(units: Floats) -> Iterator[tuple[slice, Floats]]:
    """Yield some runs and the t of their resamples; shape (run, draw)."""
    n = units.shape[1]
    weight = np.random.default_rng(1).multinomial(n, np.full(n, 1 / n), DRAWS).T / n
    for at in _chunks(len(units)):
        apart = units[at] - units[at].mean(1, keepdims=True)
        mean = apart @ weight
        spread = np.sqrt(np.maximum((apart**2) @ weight - mean**2, 0) * n / (n - 1))
        # A resample of near-equal units would otherwise have a huge t.
        least = 0.25 * apart.std(1, ddof=1)[:, None]
        yield at, mean / (np.maximum(spread, least) / n**0.5)
