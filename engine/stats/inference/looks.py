"""Looks at a run before its end: how much of the error each look may spend.

Whoever looks again and again at the usual 5 % is fooled far more often than in 5 % of
runs. An error-spending rule fixes how much of the 5 % may be spent by each share of
the replicates, so the looks may stand anywhere and the chance of any false call is
alpha. Here it is Kim and DeMets' power family, alpha · share^ρ, with ρ = 2: with skewed
differences ρ = 1 spends too much on the first looks, and ρ = 3 stops later (figures in
`tests/benchmarks/verdict_levels.py`). A first look at 16 replicates is safer than one
at 8, and as quick.

Source: Lan and DeMets (1983), Biometrika 70(3); Kim and DeMets (1987), Biometrika
74(1); the recursion is that of Armitage, McPherson and Rowe (1969), JRSS A 132(2), as
in Jennison and Turnbull (2000), chapter 19. Their significance-level approach (section
4.4) applies the levels, which are exact for a normal mean, to any other test's p.
"""

from functools import lru_cache

import numpy as np

from engine.stats.array_types import Floats

SPENDING_POWER = 2.0  # ρ: 1 is about Pocock's rule, 3 about O'Brien and Fleming's
_NODES = 128  # of the Gauss–Legendre rule over the values that go on
_WIDE = 8.5  # standard deviations; beyond them a normal has less than 1e-16


@lru_cache(maxsize=64)
def nominal_levels(looks: tuple[int, ...], alpha: float = 0.05) -> tuple[float, ...]:
    """Return the two-sided level at which each look tests.

    Args:
        looks: Replicates at each look, ascending; the last is the ceiling.
        alpha: Chance of any false call over all looks together.

    Returns:
        One level a look, between 0 and alpha; alpha itself for a single look.

    >>> [round(level, 4) for level in nominal_levels((32, 64))]
    [0.0125, 0.0436]
    >>> nominal_levels((8,))
    (0.05,)
    """
    if not looks or any(b <= a for a, b in zip((0, *looks), looks, strict=False)):
        raise ValueError(f"looks {looks} must ascend from at least 1")
    if len(looks) == 1:
        return (alpha,)
    shares = np.array(looks, np.float64) / looks[-1]
    spent = alpha * shares**SPENDING_POWER
    return tuple(levels_of_spends(shares, np.diff(spent, prepend=0.0)))


def levels_of_spends(shares: Floats, spends: Floats) -> list[float]:
    """Return the two-sided level at each look that spends just so much error.

    Args:
        shares: Share of the replicates at each look, ascending; shape (look,).
        spends: Chance to cross for the first time at each look; shape (look,).

    Returns:
        One level a look.
    """
    from scipy.special import ndtr

    at, weight = np.zeros(1), np.ones(1)  # a Brownian motion that starts at 0
    before, levels = 0.0, []
    for share, spend in zip(shares, spends, strict=True):
        step = float(np.sqrt(share - before))
        bound = _find_bound(at, weight, step, float(spend), float(np.sqrt(share)))
        levels.append(2 * float(ndtr(-bound / share**0.5)))
        nodes, width = np.polynomial.legendre.leggauss(_NODES)
        reach = min(bound, _WIDE * share**0.5)
        inside, width = nodes * reach, width * reach
        apart = (inside[:, None] - at) / step
        density = np.exp(-(apart**2) / 2) / (step * np.sqrt(2 * np.pi))
        at, weight, before = inside, (density @ weight) * width, share
    return levels


def _find_bound(
    at: Floats, weight: Floats, step: float, spend: float, scale: float
) -> float:
    """Return the bound that is crossed next with the probability to be spent."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    def excess(bound: float) -> float:
        out = ndtr((at - bound) / step) + ndtr((-at - bound) / step)
        return float(weight @ out) - spend

    return float(brentq(excess, 0.0, 40 * scale, xtol=1e-12))
