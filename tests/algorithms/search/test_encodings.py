"""Architectures as vectors."""

import itertools

import numpy as np
import pytest

from engine.algorithms.search.encodings import (
    ENCODINGS,
    adjacency_encoding,
    one_hot_encoding,
    path_encoding,
)
from engine.protocol import Space

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
OPERATIONS = ("none", "skip", "conv1", "conv3", "pool")
CELL = Space("cell", tuple(map(str, EDGES)), (OPERATIONS,) * 6, EDGES)
LIST = Space("list", ("a", "b", "c"), (("x", "y"), ("p", "q", "r"), ("u", "v")))
ALL_LISTED = LIST.codes(np.arange(LIST.size))


def some(count: int = 40) -> np.ndarray:
    return CELL.codes(np.random.default_rng(0).integers(CELL.size, size=count))


@pytest.mark.parametrize("space", [CELL, LIST], ids=lambda s: s.name)
def test_one_hot_codes_lie_on_a_sphere_and_agree_where_their_positions_do(
    space: Space,
) -> None:
    codes = space.codes(np.arange(0, space.size, max(1, space.size // 50)))
    hot = one_hot_encoding(space, codes).astype(float)
    positions = len(space.radix)
    np.testing.assert_allclose(np.linalg.norm(hot, axis=1), positions**0.5)
    hamming = (codes[:, None] != codes[None]).sum(-1)
    np.testing.assert_allclose(hot @ hot.T / positions, 1 - hamming / positions)


def test_adjacency_says_which_edges_carry_something() -> None:
    codes = some()
    found = adjacency_encoding(CELL, codes)
    np.testing.assert_array_equal(found[:, :6], codes != 0)
    np.testing.assert_array_equal(found[:, 6:], one_hot_encoding(CELL, codes))


def test_paths_of_a_cell_by_hand() -> None:
    # 0→1 conv3, 0→2 none, 1→2 skip, 0→3 pool, 1→3 conv1, 2→3 conv3
    found = path_encoding(CELL, np.array([3, 0, 1, 4, 2, 3]))
    assert found.shape == (4 + 16 + 64,)
    skip, conv1, conv3, pool = range(4)
    expected = {
        pool,  # 0→3
        4 + 4 * conv3 + conv1,  # 0→1→3
        4 + 16 + 16 * conv3 + 4 * skip + conv3,  # 0→1→2→3; 0→2 is not there
    }
    assert set(np.flatnonzero(found)) == expected


def test_paths_are_those_that_a_walk_over_the_cell_finds() -> None:
    ways = [
        [(0, *inner, 3)[i : i + 2] for i in range(len(inner) + 1)]
        for size in range(3)
        for inner in itertools.combinations((1, 2), size)
    ]
    names = OPERATIONS[1:]
    order = [w for n in (1, 2, 3) for w in itertools.product(names, repeat=n)]
    for codes in some():
        taken = dict(zip(EDGES, (OPERATIONS[c] for c in codes), strict=True))
        words = {tuple(taken[edge] for edge in way) for way in ways}
        there = [float(word in words) for word in order]
        assert path_encoding(CELL, codes).tolist() == there


def test_swapping_the_inner_nodes_changes_no_path() -> None:
    codes = some()
    codes[:, 2] = 0  # else 1→2 would have to turn round
    swapped = codes[:, [1, 0, 2, 3, 5, 4]]
    assert (swapped != codes).any()
    np.testing.assert_array_equal(
        path_encoding(CELL, codes), path_encoding(CELL, swapped)
    )


def test_a_list_of_decisions_has_pairs_for_paths() -> None:
    np.testing.assert_array_equal(
        adjacency_encoding(LIST, ALL_LISTED), one_hot_encoding(LIST, ALL_LISTED)
    )
    found = path_encoding(LIST, ALL_LISTED)
    assert found.shape == (12, 7 + 2 * 3 + 3 * 2)
    np.testing.assert_array_equal(found.sum(1), 3 + 2)
    assert len(np.unique(found, axis=0)) == 12


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("space", [CELL, LIST], ids=lambda s: s.name)
def test_any_leading_axes(name: str, space: Space) -> None:
    codes = space.codes(np.arange(12)).reshape(2, 6, -1)
    found = ENCODINGS[name](space, codes)
    assert found.dtype == np.float32
    flat = ENCODINGS[name](space, codes.reshape(12, -1))
    np.testing.assert_array_equal(found.reshape(12, -1), flat)
    np.testing.assert_array_equal(found[1, 2], ENCODINGS[name](space, codes[1, 2]))


def test_a_part_of_a_space_has_as_many_paths() -> None:
    kept = (("conv1",), *(OPERATIONS,) * 5)
    part = Space("part", CELL.positions, kept, EDGES)
    codes = some()
    codes[:, 0] = OPERATIONS.index("conv1")
    inside = codes.copy()
    inside[:, 0] = 0
    counts = path_encoding(CELL, codes).sum(1), path_encoding(part, inside).sum(1)
    np.testing.assert_array_equal(*counts)
