"""How architectures are proposed, against counts by hand."""

from dataclasses import replace

import numpy as np

from engine.algorithms.search.proposals import (
    LISTED,
    mutate,
    neighbor_changes,
    random_order,
    uniform_codes,
)
from engine.protocol import Space
from tests.learners.search_baselines.searched import searches

# A cell of three nodes: one edge leads to the first, two to the second.
CELL = Space("cell", ("a", "b", "c"), (tuple("xyz"),) * 3, ((0, 1), (0, 2), (1, 2)))


def test_no_architecture_comes_again_before_all_came() -> None:
    tasks = searches(3, horizon=150)
    order = tasks.space.index(random_order(tasks))
    assert tasks.space.size == 64
    assert (np.sort(order[:, :64], 1) == np.arange(64)).all()
    np.testing.assert_array_equal(order[:, 64:128], order[:, :64])
    assert (order[0] != order[1]).any()


def test_a_space_too_large_to_be_listed_is_drawn_from_evenly() -> None:
    tasks = searches(40, horizon=100)
    wide = Space("wide", tuple("abcdefgh"), (tuple("pqrst"),) * 8)
    assert wide.size > LISTED
    codes = random_order(replace(tasks, space=wide)).reshape(-1, 8)
    # 4,000 draws of five options each: within five standard deviations.
    counts = (codes[..., None] == np.arange(5)).sum(0)
    assert (abs(counts - 800) < 5 * np.sqrt(4000 * 0.2 * 0.8)).all()


def test_a_change_of_a_cell_draws_a_node_and_then_one_of_its_edges() -> None:
    uniform = np.random.default_rng(1).random((40_000, 3))
    codes = np.tile(np.array([0, 1, 2]), (len(uniform), 1))
    child = mutate(CELL, codes, uniform)
    changed = child != codes
    assert (changed.sum(1) == 1).all()
    # The edge to the first node in half of the cases, each of the others in a quarter.
    for share, expected in zip(changed.mean(0), (0.5, 0.25, 0.25), strict=True):
        assert abs(share - expected) < 5 * np.sqrt(expected / len(uniform))
    # Either other option is as likely.
    first = child[changed[:, 0], 0]
    assert abs((first == 1).mean() - 0.5) < 5 * 0.5 / np.sqrt(len(first))


def test_a_decision_with_one_option_is_never_the_one_that_changes() -> None:
    fixed = Space("fixed", ("a", "b"), (("x",), ("p", "q", "r")))
    uniform = np.random.default_rng(2).random((500, 3))
    codes = np.zeros((500, 2), np.int64)
    child = mutate(fixed, codes, uniform)
    assert (child[:, 0] == 0).all() and (child[:, 1] > 0).all()
    alone = Space("alone", ("a",), (("x",),))
    assert (mutate(alone, codes[:, :1], uniform) == 0).all()


def test_neighbors_are_all_single_changes() -> None:
    position, turn = neighbor_changes(CELL)
    assert sorted(zip(position.tolist(), turn.tolist(), strict=True)) == [
        (p, t) for p in range(3) for t in (1, 2)
    ]
    assert len(neighbor_changes(Space("alone", ("a",), (("x",),)))[0]) == 0


def test_the_ends_of_the_dice_are_the_first_and_the_last_option() -> None:
    ends = np.array([[0.0, 0.0, 0.0], [1 - 2**-53] * 3])
    assert uniform_codes(CELL, ends).tolist() == [[0, 0, 0], [2, 2, 2]]
