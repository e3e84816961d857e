"""Which examples are support and which are queries, where none is to spare."""

import numpy as np

from engine.tasks.few_shot._sampling import pick_examples, support_counts


def test_no_example_is_picked_twice_where_all_are_needed() -> None:
    order = np.stack([np.random.default_rng(way).permutation(5) for way in range(3)])
    counts = np.array([2, 3, 1])
    found = pick_examples(counts, 2, order)
    picked = list(zip(found.way.tolist(), found.example.tolist(), strict=True))
    assert len(set(picked)) == len(picked) == 6 + 3 * 2
    assert found.support_count == 6
    support, queries = found.way[:6], found.way[6:]
    assert np.bincount(support).tolist() == [2, 3, 1]
    assert np.bincount(queries).tolist() == [2, 2, 2]


def test_more_shots_leave_the_queries_and_the_first_shots_as_they_were() -> None:
    order = np.stack([np.random.default_rng(way).permutation(9) for way in range(2)])
    few, many = (pick_examples(np.full(2, shots), 3, order) for shots in (1, 5))
    assert few.example[2:].tolist() == many.example[10:].tolist()
    assert few.example[:2].tolist() == many.example[[0, 5]].tolist()


def test_uneven_supports_hold_as_many_examples_in_all_and_one_of_each_class() -> None:
    for seed in range(50):
        draw = np.random.default_rng(seed)
        counts = support_counts(draw, 5, 3, 6, "uneven")
        assert counts.sum() == 15 and counts.min() >= 1 and counts.max() <= 6
