"""Looks: published bounds, the multivariate normal, and a simulated random walk."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from engine.stats.inference.looks import levels_of_spends, nominal_levels


def _bounds(levels: tuple[float, ...] | list[float]) -> np.ndarray:
    return norm.isf(np.array(levels) / 2)


def test_one_look_has_the_whole_level() -> None:
    assert nominal_levels((24,)) == (0.05,)
    assert nominal_levels((24,), 0.01) == (0.01,)


def test_bounds_are_those_published_for_the_rule_of_lan_and_demets() -> None:
    # Their O'Brien–Fleming rule with five equal looks, two-sided 5 %.
    shares = np.arange(1, 6) / 5
    spent = 4 * norm.sf(norm.isf(0.0125) / np.sqrt(shares))
    found = _bounds(levels_of_spends(shares, np.diff(spent, prepend=0.0)))
    published = [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]
    assert found == pytest.approx(published, abs=2e-4)


def test_three_looks_miss_together_by_the_multivariate_normal() -> None:
    looks = (10, 25, 60)
    bounds = _bounds(nominal_levels(looks))
    ratio = np.minimum.outer(looks, looks) / np.maximum.outer(looks, looks)
    walk = multivariate_normal(cov=np.sqrt(ratio), seed=0)
    inside = walk.cdf(bounds, lower_limit=-bounds)
    assert 1 - float(inside) == pytest.approx(0.05, abs=2e-4)


def test_levels_rise_and_spend_all_at_the_ceiling() -> None:
    looks = tuple(range(8, 65, 8))
    levels = nominal_levels(looks)
    assert np.all(np.diff(levels) > 0)
    steps = np.random.default_rng(0).normal(size=(40_000, 64))
    walk = steps.cumsum(1)[:, np.array(looks) - 1] / np.sqrt(looks)
    crossed = (np.abs(walk) > _bounds(levels)).any(1).mean()
    assert crossed == pytest.approx(0.05, abs=0.0035)


@pytest.mark.parametrize("looks", [(), (8, 8), (16, 8), (0, 8)])
def test_looks_that_do_not_ascend_are_refused(looks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="ascend"):
        nominal_levels(looks)
