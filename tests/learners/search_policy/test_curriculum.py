"""Curricula order tasks by what was measured, and nothing else."""

import numpy as np
import pytest

from engine.algorithms.search.policy.curriculum import Curriculum, measure_balance

EASY, HARD = np.array([0.5, 0.9, 0.88, 0.89, 0.2]), np.array([0.1, 0.9, 0.2, 0.1, 0.3])


def visited(rewards: list[np.ndarray]) -> Curriculum:
    """Return what one replicate knows after a visit to each task."""
    begun = Curriculum.empty(1, len(rewards))
    return begun.update(np.arange(len(rewards))[None], np.stack(rewards)[None])


def test_difficulty_is_the_share_of_the_first_visit_far_from_its_best() -> None:
    known = visited([EASY, HARD])
    np.testing.assert_allclose(known.difficulty, [[2 / 5, 4 / 5]])
    np.testing.assert_allclose(known.bar, [[0.83, 0.82]])
    later = known.update(np.array([[1]]), np.full((1, 1, 5), 0.9))
    np.testing.assert_array_equal(later.difficulty, known.difficulty)
    np.testing.assert_allclose(later.competence, [[0.6, 0.2 + 0.3 * 0.8]])
    assert later.visits.tolist() == [[1.0, 2.0]]


def test_orders_go_by_measured_difficulty_after_the_unvisited() -> None:
    known = Curriculum.empty(1, 4).update(
        np.array([[2, 0, 3]]), np.stack([HARD, EASY, EASY * 0 + 0.5])[None]
    )
    assert known.sort_sources()[0].tolist() == [1, 3, 0, 2]
    assert known.sort_sources(hardest=True)[0].tolist() == [1, 2, 0, 3]


@pytest.mark.parametrize(
    ("order", "first"), [("easy first", [0, 1]), ("hard first", [7, 6])]
)
def test_early_lessons_draw_from_one_end_and_late_ones_from_all(
    order: str, first: list[int]
) -> None:
    known = Curriculum.empty(1, 8)
    known.difficulty[:] = np.arange(8) / 8
    uniform = np.random.default_rng(0).random((200, 2))
    early = [known.choose_sources(order, d[None], 0.0)[0] for d in uniform]  # type: ignore[arg-type]
    late = [known.choose_sources(order, d[None], 0.5)[0] for d in uniform]  # type: ignore[arg-type]
    assert set(np.concatenate(early)) == set(first)
    assert set(np.concatenate(late)) == set(range(8))
    assert all(len(set(pair)) == 2 for pair in (*early, *late))


def test_unvisited_tasks_come_before_any_second_visit() -> None:
    known, met = Curriculum.empty(1, 5), []
    for uniform in np.random.default_rng(1).random((3, 2)):
        places = known.choose_sources("competence", uniform[None], 0.0)
        met += places[0].tolist()
        known = known.update(places, np.tile(EASY, (1, 2, 1)))
    assert sorted(met[:5]) == [0, 1, 2, 3, 4]


def test_one_more_task_opens_when_the_open_ones_are_mastered() -> None:
    known = visited([EASY] * 4 + [HARD] * 4)
    assert known.stage[0] == 2
    held = known.update(np.array([[0, 1]]), np.zeros((1, 2, 5)))
    assert held.stage[0] == 2
    for stage in (3, 4):
        for _ in range(20):
            known = known.update(np.arange(stage - 1)[None], np.ones((1, stage - 1, 5)))
            if known.stage[0] == stage:
                break
        assert known.stage[0] == stage
    assert known.open_count("competence", 0.0)[0] == 4


def test_it_survives_a_meta_learners_memory() -> None:
    known = visited([EASY, HARD])
    for one, two in zip(known, Curriculum.from_memory(known.to_memory()), strict=True):
        np.testing.assert_array_equal(one, two)


def test_nothing_trained_teaches_nothing() -> None:
    known = Curriculum.empty(1, 2).update(
        np.array([[0, 1]]), np.full((1, 2, 3), np.nan)
    )
    assert np.isnan(known.difficulty).all() and not known.visits.any()


def test_balance_counts_draws_by_difficulty() -> None:
    nan = float("nan")
    found = measure_balance([0.0, 0.1, 0.9, 1.0, nan], [1, 1, 2, 0, 3])
    assert found.histogram == (0.5, 0.0, 0.0, 0.5)
    assert found.evenness == pytest.approx(0.5)
    assert found.coverage == pytest.approx(0.8)
    assert found.mean == pytest.approx((0.0 + 0.1 + 1.8) / 4)
    none = measure_balance([nan, nan], [0, 0])
    assert none.coverage == 0 and np.isnan(none.mean) and np.isnan(none.evenness)
