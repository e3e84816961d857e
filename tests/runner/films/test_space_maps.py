"""Maps of a space, and how far they can be trusted."""

import itertools

import numpy as np
import pytest

from engine.runner.films.space_maps import (
    flat_map,
    geometry,
    map_quality,
    sample_indices,
    sphere_map,
)
from engine.stats.search.distances import decision_importance

RADIX = (5, 3, 2, 4)
SIZE = 120


def scores() -> np.ndarray:
    index = np.indices(RADIX).reshape(4, -1)
    return np.array([1.0, 0.3, 0.1, 3.0]) @ index + 0.1 * np.sin(np.arange(SIZE))


def test_every_architecture_has_a_place_of_its_own_on_the_sphere() -> None:
    known = decision_importance(scores(), RADIX)
    for points in (sphere_map(RADIX, known), flat_map(RADIX, known)):
        apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
        assert apart[~np.eye(SIZE, dtype=bool)].min() > 1e-3
    np.testing.assert_allclose(np.linalg.norm(sphere_map(RADIX, known), axis=1), 1.0)


def test_architectures_that_share_important_options_are_close_on_the_sphere() -> None:
    known = decision_importance(scores(), RADIX)
    codes = np.indices(RADIX).reshape(4, -1)
    points = flat_map(RADIX, known)
    group = codes[3]  # matters most
    centers = np.stack([points[group == o].mean(0) for o in range(4)])
    apart = np.linalg.norm(points[:, None] - centers[None], axis=-1)
    np.testing.assert_array_equal(apart.argmin(1), group)
    assert centers[:, 1].argmax() == 3  # the best is at the top


def test_polygons_that_are_nested_do_not_overlap() -> None:
    for count in range(2, 9):
        radix = (count, count)
        points = flat_map(radix, decision_importance(None, radix))
        group = np.arange(count * count) // count
        centers = np.stack([points[group == o].mean(0) for o in range(count)])
        reach = max(
            np.linalg.norm(points[group == o] - centers[o], axis=1).max()
            for o in range(count)
        )
        gap = min(
            np.linalg.norm(a - b)
            for i, j in itertools.combinations(range(count), 2)
            for a in points[group == i]
            for b in points[group == j]
        )
        assert gap > 0.02 and reach < 1


def test_trust_and_stress_of_a_true_map() -> None:
    # Two decisions of two options are a square: its map in the plane is true in rank.
    radix = (2,) * 2
    square = np.indices(radix).reshape(2, -1).T.astype(float)
    found = map_quality(square, radix, np.arange(4))
    angle = np.arccos(1 - np.array([1, 2]) / 2)  # of an edge and of the diagonal
    true, drawn = np.array([angle[0]] * 4 + [angle[1]] * 2), [1.0] * 4 + [2**0.5] * 2
    scale = np.dot(drawn, true) / np.dot(true, true)
    expected = np.linalg.norm(drawn - scale * true) / np.linalg.norm(drawn)
    assert found.stress == pytest.approx(expected)
    assert found.trust == 1.0


def test_a_shuffled_map_is_trusted_less() -> None:
    known = decision_importance(scores(), RADIX)
    for points in (sphere_map(RADIX, known), flat_map(RADIX, known)):
        mine = map_quality(points, RADIX, np.arange(SIZE))
        mixed = np.random.default_rng(0).permutation(points)
        theirs = map_quality(mixed, RADIX, np.arange(SIZE))
        assert mine.trust > theirs.trust + 0.1
        assert mine.stress < theirs.stress


def test_the_sample_leaves_out_missing_architectures() -> None:
    there = np.arange(5_000) % 3 == 0
    chosen = sample_indices(5_000, there)
    assert there[chosen].all() and 700 < len(chosen) <= 800
    np.testing.assert_array_equal(chosen, sample_indices(5_000, there))


@pytest.mark.parametrize(
    ("radix", "held"),
    [((1, 1), [0.3]), ((3,), [np.nan] * 3), ((2,), [0.5, 0.5]), ((2, 2), None)],
    ids=["one", "nothing known", "a tie", "no table"],
)
def test_degenerate_spaces(radix: tuple[int, ...], held: list[float] | None) -> None:
    arrays, info = geometry(radix, None if held is None else np.array(held))
    size = int(np.prod(radix))
    assert arrays["sphere/xyz"].shape == (size, 3)
    assert arrays["map/xy"].shape == (size, 2)
    assert all(np.isfinite(array).all() for array in arrays.values())
    assert len(info["matter"]) == len(radix)


def test_the_same_space_has_the_same_geometry() -> None:
    one, other = geometry(RADIX, scores()), geometry(RADIX, scores())
    assert one[1] == other[1]
    for name, array in one[0].items():
        np.testing.assert_array_equal(array, other[0][name])
    assert scores()[one[0]["landscape/optima"][0]] == scores().max()
