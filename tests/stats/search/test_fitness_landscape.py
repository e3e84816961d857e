"""Peaks, basins and correlations of a listed space, held against going there."""

import itertools

import numpy as np
import pytest

from engine.stats.search.distances import (
    decision_importance,
    distance_to_seen,
    geodesic,
    measure_coverage,
    neighbors,
)
from engine.stats.search.fitness_landscape import (
    autocorrelation,
    find_basins,
    fitness_distance,
)

RADIX = (3, 2, 4)
SIZE = 24


def rough(gaps: int = 0) -> np.ndarray:
    rng = np.random.default_rng(7)
    scores = rng.random(SIZE)
    scores[rng.choice(SIZE, gaps, replace=False)] = np.nan
    return scores


def codes() -> np.ndarray:
    return np.array(list(itertools.product(*map(range, RADIX))))


def changes() -> np.ndarray:
    return (codes()[:, None] != codes()[None]).sum(-1)


@pytest.mark.parametrize("gaps", [0, 8])
def test_basins_are_where_a_climber_ends(gaps: int) -> None:
    scores = rough(gaps)
    found = find_basins(scores, RADIX)
    beside = changes() == 1
    for start in range(SIZE):
        if np.isnan(scores[start]):
            assert found.basin[start] == -1
            continue
        at = start
        while True:
            around = [i for i in np.flatnonzero(beside[at]) if scores[i] > scores[at]]
            if not around:
                break
            at = max(around, key=lambda i: scores[i])
        assert found.optima[found.basin[start]] == at
    assert found.sizes.sum() == SIZE - gaps
    assert (np.diff(scores[found.optima]) <= 0).all()
    peaks = [
        i
        for i in np.flatnonzero(np.isfinite(scores))
        if not (scores[beside[i]] > scores[i]).any()
    ]
    assert sorted(found.optima) == peaks


def test_level_ground_is_not_climbed() -> None:
    found = find_basins(np.ones(SIZE), RADIX)
    assert len(found.optima) == SIZE and (found.sizes == 1).all()


@pytest.mark.parametrize("gaps", [0, 8])
def test_fitness_distance_correlation(gaps: int) -> None:
    scores = rough(gaps)
    there = np.isfinite(scores)
    away = changes()[np.nanargmax(scores)]
    expected = np.corrcoef(scores[there], away[there])[0, 1]
    found = fitness_distance(scores, RADIX)
    assert found.correlation == pytest.approx(expected)
    assert found.members.sum() == there.sum()
    assert found.mean[0] == np.nanmax(scores)


@pytest.mark.parametrize("gaps", [0, 5])
def test_autocorrelation_is_that_of_the_walk_matrix(gaps: int) -> None:
    scores = rough(gaps)
    there = np.flatnonzero(np.isfinite(scores))
    beside = (changes() == 1)[np.ix_(there, there)].astype(float)
    step = beside / beside.sum(1, keepdims=True)
    often = beside.sum(1) / beside.sum()
    held = scores[there] - often @ scores[there]
    for ahead, found in enumerate(autocorrelation(scores, RADIX, 4)):
        moved = np.linalg.matrix_power(step, ahead) @ held
        assert found == pytest.approx((often * held * moved).sum() / (often @ held**2))


def test_an_additive_landscape_of_one_radix_decays_at_a_known_rate() -> None:
    # An additive function is an eigenfunction of the walk: 1 − r / (n (r − 1)).
    radix = (4, 4, 4, 4)
    index = np.indices(radix).reshape(4, -1)
    effects = np.random.default_rng(1).random((4, 4))
    scores = sum(effects[p][index[p]] for p in range(4))
    rate = 1 - 4 / (4 * 3)
    np.testing.assert_allclose(
        autocorrelation(scores, radix, 5), rate ** np.arange(6.0)
    )
    assert len(find_basins(scores, radix).optima) == 1
    assert decision_importance(scores, radix).share.sum() == pytest.approx(1.0)


def test_coverage_is_what_counting_finds() -> None:
    tried = np.array([3.0, 3.0, 17.0, np.nan])
    away = changes()[:, [3, 17]].min(1)
    np.testing.assert_array_equal(distance_to_seen(np.array([3, 17]), RADIX), away)
    found = measure_coverage(tried, RADIX)
    assert found.distinct == 2 and found.share == 2 / SIZE
    assert found.within == (away <= 1).mean()
    assert found.nearest == pytest.approx(np.arccos(1 - away / 3).mean())


def test_nothing_trained_covers_nothing() -> None:
    found = measure_coverage(np.full(3, np.nan), RADIX)
    assert found.distinct == 0 and found.share == 0 and np.isnan(found.nearest)


def test_neighbors_are_one_change_away() -> None:
    for index in range(SIZE):
        expected = np.flatnonzero(changes()[index] == 1)
        assert sorted(neighbors(index, RADIX)) == expected.tolist()


def test_angles_are_those_of_one_hot_codes() -> None:
    hot = np.concatenate([np.eye(r)[codes()[:, p]] for p, r in enumerate(RADIX)], 1)
    cosine = hot @ hot.T / len(RADIX)
    np.testing.assert_allclose(geodesic(changes(), 3), np.arccos(cosine), atol=1e-7)


def test_importance_is_explained_variance() -> None:
    scores = rough()
    found = decision_importance(scores, RADIX)
    for p, count in enumerate(RADIX):
        mean = [scores[codes()[:, p] == o].mean() for o in range(count)]
        explained = np.var(np.array(mean)[codes()[:, p]]) / np.var(scores)
        assert found.share[p] == pytest.approx(explained)
        assert found.ranks[p].tolist() == [
            sorted(mean, reverse=True).index(m) for m in mean
        ]
