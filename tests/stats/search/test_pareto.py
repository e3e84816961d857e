"""Fronts and hypervolumes, against counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.stats.search.pareto import hypervolume, pareto_front

GRID = st.integers(0, 12)
POINTS = st.lists(st.tuples(GRID, GRID), min_size=1, max_size=20)


@given(POINTS)
def test_the_hypervolume_is_the_count_of_beaten_squares(points: list) -> None:
    score, price = (np.array(column, float) for column in zip(*points, strict=True))
    beaten = sum(
        any(s > x and p <= 11 - y for s, p in points)
        for x in range(12)
        for y in range(12)
    )
    assert hypervolume(score, price, (0.0, 12.0)) == beaten


@given(POINTS)
def test_the_front_is_what_no_other_beats(points: list) -> None:
    score, price = (np.array(column, float) for column in zip(*points, strict=True))
    unbeaten = {
        (s, p)
        for s, p in points
        if not any((a >= s and b <= p) and (a, b) != (s, p) for a, b in points)
    }
    found = pareto_front(score, price)
    assert set(zip(found.score, found.price, strict=True)) == unbeaten
    assert (np.diff(found.price) > 0).all() and (np.diff(found.score) > 0).all()
    np.testing.assert_array_equal(score[found.place], found.score)


def test_a_point_with_nan_is_on_no_front() -> None:
    found = pareto_front(np.array([np.nan, 0.5, 0.9]), np.array([1.0, 2.0, np.nan]))
    assert found.place.tolist() == [1]


def test_the_hypervolume_is_the_area_that_darts_find() -> None:
    rng = np.random.default_rng(1)
    price, score = rng.random(40), rng.random(40)
    low, high = score.min(), price.max()
    darts = rng.random((200_000, 2)) * [high - price.min(), score.max() - low]
    darts += [price.min(), low]
    hit = np.zeros(len(darts), bool)
    for i in range(7):
        hit |= (darts[:, 0] >= price[i]) & (darts[:, 1] <= score[i])
    area = hit.mean() * (high - price.min()) * (score.max() - low)
    found = hypervolume(score[:7], price[:7], (low, high))
    assert found == pytest.approx(area, rel=0.02)
