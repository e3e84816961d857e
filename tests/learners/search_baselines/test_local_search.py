"""Local search against the whole space listed: where it goes, and where it ends."""

import itertools

import numpy as np
import pytest
from scipy.stats import chisquare

from engine.learners.baseline.local_search import LocalSearch
from engine.learners.baseline.random_search import RandomSearch
from tests.learners.search_baselines.searched import followed, searches, truth

SPACE = list(itertools.product(range(4), repeat=3))


def neighbors(number: int) -> list[int]:
    """List what differs at one decision, straight from the space."""
    return [
        i
        for i, codes in enumerate(SPACE)
        if sum(a != b for a, b in zip(codes, SPACE[number], strict=True)) == 1
    ]


def walk(tried: list[int], values: np.ndarray) -> list[tuple[int, set[int]]]:
    """Replay a search by its rule; return where each climb ended, and what it knew.

    Raises:
        AssertionError: If it trained what is no neighbor while one was left.
    """
    ends, known, here = [], set(), -1
    for number in tried:
        left = set(neighbors(here)) - known if here >= 0 else set()
        if here >= 0 and not left:
            ends.append((here, set(known)))
            here = -1
        assert here < 0 or number in left
        known.add(number)
        if here < 0 or values[number] > values[here]:
            here = number
        while better := [n for n in neighbors(here) if n in known]:
            best = max(better, key=lambda n: values[n])
            if values[best] <= values[here]:
                break
            here = best
    return ends


@pytest.mark.parametrize("rugged", [0, 1, 2])
def test_a_climb_ends_only_where_no_neighbor_is_better(rugged: int) -> None:
    tasks = searches(20, horizon=60, rugged=rugged)
    found = followed(LocalSearch(), tasks)
    count = 0
    for member in range(20):
        values = truth(tasks, member)
        tried = [int(i) for i in found["architecture"][member]]
        for end, _ in walk(tried, values):
            assert values[end] >= max(values[n] for n in neighbors(end))
            count += 1
    assert count > 20


def test_one_smooth_hill_is_climbed_to_its_top_at_once() -> None:
    tasks = searches(20, horizon=40, rugged=0)
    found = followed(LocalSearch(), tasks)
    np.testing.assert_allclose(found["regret"][:, -1], 0.0, atol=1e-7)


def test_nothing_is_trained_twice_while_something_is_left() -> None:
    found = followed(LocalSearch(), searches(20, horizon=64))["architecture"]
    assert (np.sort(found, 1) == np.arange(64)).all()


def test_climbs_begin_where_random_search_goes() -> None:
    tasks = searches(20, horizon=60)
    found = followed(LocalSearch(), tasks)["architecture"]
    order = followed(RandomSearch(), tasks)["architecture"]
    restarts = 0
    for member in range(20):
        values = truth(tasks, member)
        tried = [int(i) for i in found[member]]
        ends = walk(tried, values)
        assert tried[0] == order[member, 0]
        for _, known in ends:
            nexts = [int(i) for i in order[member] if int(i) not in known]
            if len(known) < len(tried):
                assert tried[len(known)] == nexts[0]
                restarts += 1
    assert restarts > 20


def test_every_neighbor_is_as_likely_to_be_tried_first() -> None:
    tasks = searches(400, horizon=2)
    found = followed(LocalSearch(), tasks)["architecture"].astype(int)
    places = [neighbors(int(a)).index(int(b)) for a, b in found]
    turned = np.array(SPACE)[found[:, 1]] != np.array(SPACE)[found[:, 0]]
    assert chisquare(np.bincount(turned.argmax(1), minlength=3)).pvalue > 0.001
    assert chisquare(np.bincount(places, minlength=9)).pvalue > 0.001
