"""Fronts and hypervolumes, against counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.stats.search.pareto import front, hypervolume, scaled, volumes

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
    found = front(score, price)
    assert set(zip(found.score, found.price, strict=True)) == unbeaten
    assert (np.diff(found.price) > 0).all() and (np.diff(found.score) > 0).all()
    np.testing.assert_array_equal(score[found.place], found.score)


def test_what_has_no_number_is_on_no_front() -> None:
    found = front(np.array([np.nan, 0.5, 0.9]), np.array([1.0, 2.0, np.nan]))
    assert found.place.tolist() == [1]


def test_a_search_that_saw_everything_covers_the_whole_front() -> None:
    draw = np.random.default_rng(0)
    score, price = draw.random(50), draw.random(50)
    score[7] = np.nan
    seen = np.stack([draw.permutation(50), draw.permutation(50)]).astype(float)
    found = volumes(seen, score, price, np.array([1, 10, 50]))
    assert found.band.mean[-1] == pytest.approx(1.0)
    assert (np.diff(found.band.mean) >= 0).all()
    assert found.best == pytest.approx(hypervolume(scaled(score), scaled(price)))


def test_what_was_not_paid_for_covers_nothing() -> None:
    tried = np.array([[0.0, np.nan, np.nan]])
    score, price = np.array([0.2, 0.9, 0.5]), np.array([1.0, 3.0, 2.0])
    tried[0, 0] = 2.0
    found = volumes(tried, score, price, np.array([1, 3]))
    assert found.band.mean[0] == found.band.mean[1] == pytest.approx(1.0)
