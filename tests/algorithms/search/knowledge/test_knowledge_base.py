"""A base is bounded: the best of each task, and a sample that is uniform, exactly."""

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np

from engine.algorithms.search.knowledge.knowledge_base import (
    BaseSizes,
    ExperienceBatch,
    KnowledgeBase,
    add_experiences,
    empty_base,
)
from engine.algorithms.search.knowledge.queries import (
    RankedArchitectures,
    best_architectures,
    choose_probes,
    option_shares,
    rank_architectures,
    restrict_to_space,
    task_similarity,
)
from engine.protocol import Space
from engine.tasks.search._family import restrict_space
from tests.laws.test_search_families import drawn

SPACE = Space("toy", ("a", "b"), (("x", "y", "z"), ("p", "q", "r", "s")))


def lived(index: np.ndarray, accuracy: np.ndarray, task: int = 0) -> ExperienceBatch:
    """Return experiences of one replicate, numbered from 0."""
    count = len(index)
    return ExperienceBatch(
        SPACE.codes(index)[None],
        np.asarray(accuracy, float)[None],
        np.full((1, count), task),
        np.arange(count)[None],
        np.zeros((1, count), np.int64),
        np.ones((1, count), bool),
    )


def entries(base: KnowledgeBase, first: int = 0) -> list[int]:
    """Return the step of each filled entry."""
    return base.step[0, first:][base.filled[0, first:] > 0].tolist()


def test_the_sample_is_uniform_by_enumeration() -> None:
    """Of 5 experiences each of the 10 pairs stays in 6 of all 60 equal chances."""
    kept: Counter[tuple[int, ...]] = Counter()
    for draws in itertools.product(range(3), range(4), range(5)):
        uniform = [0.0, 0.0] + [(d + 0.5) / (i + 3) for i, d in enumerate(draws)]
        base = empty_base(SPACE, 1, BaseSizes(1, 3), 1)
        found = lived(np.arange(5), np.linspace(0.1, 0.5, 5))
        base = add_experiences(base, found, np.array([uniform]))
        kept[tuple(sorted(entries(base, 1)))] += 1
    assert kept == dict.fromkeys(itertools.combinations(range(5), 2), 6)


def test_piece_by_piece_is_the_same_as_at_once() -> None:
    rng = np.random.default_rng(0)
    index, table, uniform = rng.integers(0, 12, 60), rng.random(12), rng.random((1, 60))
    found = lived(index, table[index])
    whole = add_experiences(empty_base(SPACE, 1, BaseSizes(4, 20), 1), found, uniform)
    pieces = empty_base(SPACE, 1, BaseSizes(4, 20), 1)
    for first in range(0, 60, 7):
        part = ExperienceBatch(*(a[:, first : first + 7] for a in found))
        pieces = add_experiences(pieces, part, uniform[:, first : first + 7])
    for name, one, two in zip(KnowledgeBase._fields, whole, pieces, strict=True):
        np.testing.assert_allclose(one, two, err_msg=name, rtol=1e-12)


def test_the_best_are_the_best_and_each_is_there_once() -> None:
    rng = np.random.default_rng(1)
    index, accuracy = rng.integers(0, 12, 40), rng.random(40)
    accuracy[:4] = np.nan
    base = add_experiences(
        empty_base(SPACE, 1, BaseSizes(5, 6), 1),
        lived(index, accuracy),
        rng.random((1, 40)),
    )
    first = {}
    for i, a in zip(index, accuracy, strict=True):
        if np.isfinite(a):
            first.setdefault(int(i), a)
    truth = sorted(first.values(), reverse=True)[:5]
    np.testing.assert_array_equal(base.accuracy[0, :5], truth)


def test_memory_does_not_grow_and_counts_what_came_by() -> None:
    base = empty_base(SPACE, 1, BaseSizes(3, 10), 1)
    shapes = [part.shape for part in base]
    rng = np.random.default_rng(2)
    for _ in range(20):
        base = add_experiences(
            base, lived(rng.integers(0, 12, 9), rng.random(9)), rng.random((1, 9))
        )
    assert [part.shape for part in base] == shapes
    assert base.seen.tolist() == [180] and base.filled.sum() == 10


def test_what_never_happened_is_not_remembered() -> None:
    found = lived(np.arange(6), np.linspace(0.1, 0.6, 6))
    there = np.array([[True, True, False, True, False, False]])
    base = add_experiences(
        empty_base(SPACE, 1, BaseSizes(2, 12), 1),
        found._replace(valid=there),
        np.zeros((1, 6)),
    )
    assert entries(base, 2) == [0, 1, 3] and entries(base)[:2] == [3, 1]
    assert base.seen.tolist() == [3]


def test_an_easy_task_does_not_crowd_out_a_hard_one() -> None:
    base = empty_base(SPACE, 1, BaseSizes(4, 30), 2)
    hard, easy = np.linspace(0.1, 0.2, 12), np.linspace(0.8, 0.99, 12)
    for task, accuracy in enumerate((hard, easy)):
        found = lived(np.arange(12), accuracy, task)
        base = add_experiences(base, found, np.zeros((1, 12)))
    assert sorted(base.task[0, :4].tolist()) == [0, 0, 1, 1]
    assert (
        rank_architectures(base, 0).codes[0].tolist()
        == SPACE.codes(np.array(11)).tolist()
    )


def test_good_on_several_tasks_is_ranked_above_lucky_on_one() -> None:
    base = empty_base(SPACE, 1, BaseSizes(20, 60), 3)
    for task in range(3):
        accuracy = np.full(12, 0.5)
        accuracy[3] = 0.7
        accuracy[5] = 0.5 if task == 0 else 0.7
        accuracy[8] = 0.78 if task == 0 else np.nan
        base = add_experiences(
            base, lived(np.arange(12), accuracy, task), np.zeros((1, 12))
        )
    # Its standing is 2.6 on one task; the other's is about 2 on each of three.
    assert SPACE.index(best_architectures(base, 0, 1)).tolist() == [3]


def test_moments_are_those_of_all_accuracies() -> None:
    rng = np.random.default_rng(3)
    values = rng.random(50)
    base = empty_base(SPACE, 1, BaseSizes(2, 5), 1)
    for part in np.split(values, [13, 30]):
        base = add_experiences(
            base, lived(np.zeros(len(part), int), part), rng.random((1, len(part)))
        )
    count, mean, squares = base.moments[0, 0]
    truth = (50, values.mean(), values.var() * 50)
    np.testing.assert_allclose((count, mean, squares), truth)


def test_a_prior_counts_options() -> None:
    codes = np.array([[0, 3], [0, 3], [2, 1]])
    table = option_shares(SPACE, codes, 0.5)
    np.testing.assert_allclose(table[0], [2.5 / 4.5, 0.5 / 4.5, 1.5 / 4.5, 0.0])
    np.testing.assert_allclose(table.sum(1), 1.0)
    np.testing.assert_allclose(option_shares(SPACE, codes[:0], 1.0)[1], 0.25)


def test_probes_run_from_the_best_to_the_worst() -> None:
    base = add_experiences(
        empty_base(SPACE, 1, BaseSizes(3, 30), 1),
        lived(np.arange(12), np.linspace(0.2, 0.9, 12)),
        np.zeros((1, 12)),
    )
    found = choose_probes(rank_architectures(base, 0), 4)
    assert SPACE.index(found.codes).tolist() == [11, 7, 4, 0]
    assert (np.diff(found.score) < 0).all()


def test_similarity_is_spearmans_and_nothing_is_no_similarity() -> None:
    one = np.array([[0.1, 0.5, 0.9], [0.1, 0.5, 0.9], [0.3, 0.3, 0.3]])
    two = np.array([[0.2, 0.3, 0.4], [0.9, 0.5, 0.1], [0.1, 0.2, 0.3]])
    np.testing.assert_allclose(task_similarity(one, two), [1.0, -1.0, -1.0])


def test_only_what_fits_a_smaller_space_is_taken_over() -> None:
    tasks = drawn("nk_landscape", 1, 1)
    space, allowed = restrict_space(tasks.evaluator.space, 2, 0)
    small = replace(tasks, space=space, kept_options=allowed)
    whole = tasks.evaluator.space
    every = whole.codes(np.arange(whole.size))
    found = restrict_to_space(
        small, RankedArchitectures(every, np.arange(len(every), dtype=float))
    )
    assert len(found.codes) == space.size
    np.testing.assert_array_equal(
        whole.index(small.to_evaluator_codes(found.codes)), found.score.astype(int)
    )
