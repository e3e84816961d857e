"""A table of five nets on two tasks: what is looked up, judged and drawn of it."""

from typing import Any

import numpy as np
import pytest
import torch

from engine.algorithms.search.best_possible_scores import (
    best_possible_scores,
    known_scores,
)
from engine.contract.events import Artefact, Block
from engine.data.sources.architecture_table import ArchitectureTable
from engine.judges.search import SearchJudge, goal_regrets
from engine.protocol import Objective, SearchBatch, Space, TraceSegment
from engine.runner.films.search import known_space_scores
from engine.runner.loop import run
from engine.tasks.search._table_evaluator import TableEvaluator
from tests.in_memory_run_cache import InMemoryRunCache
from tests.laws.small import learner_spec
from tests.tasks.drawing import streams
from tests.tasks.search.test_family import drawn

# Of 2 × 3 codes the last but one is absent.
CODES = np.array([[0, 0], [0, 1], [0, 2], [1, 0], [1, 2]], np.uint8)
SCORE = np.array([[0.1, 0.9], [0.5, 0.8], [0.3, 0.7], [0.6, 0.2], [0.4, 0.1]])
SIZE = np.array([[1, 5], [2, 4], [3, 3], [4, 2], [5, 1]])
SEEDS = np.array([0.0, 0.01])
TABLE = TableEvaluator(
    ArchitectureTable(
        name="five",
        positions=("a", "b"),
        options=(("x", "y"), ("p", "q", "r")),
        codes=CODES,
        tasks=("one", "two"),
        fidelities=(1.0, 3.0),
        signal=(SCORE[:, :, None, None] * np.array([0.5, 1.0])[:, None] + SEEDS).astype(
            np.float32
        ),
        score=SCORE.astype(np.float32),
        cost=np.broadcast_to(np.array([1.0, 3.0], np.float32), (5, 2, 2)),
        properties={"size": SIZE},
        units={"size": "count"},
        fidelity_unit="passes",
        cost_unit="passes",
    )
)
ALL = ((0, 1), (0, 1, 2))


def searches(allowed: tuple[tuple[int, ...], ...] = ALL, **fields: Any) -> SearchBatch:
    """Return one search on each task, in all of the space or a part."""
    whole = TABLE.space
    names = [
        tuple(whole.options[i][code] for code in kept) for i, kept in enumerate(allowed)
    ]
    space = Space("part", whole.positions, tuple(names))
    which, rngs = np.array([0, 1]), tuple(streams(2))
    return SearchBatch(
        space, TABLE, allowed, which, rngs, (0, 1), 1, 4, full_fidelity=1, **fields
    )


def test_dice_choose_the_seed_and_the_task_its_column() -> None:
    codes = np.array([[0, 1], [0, 1], [1, 0], [1, 0]])
    which, depth = np.array([0, 0, 1, 1]), np.array([1, 1, 1, 0])
    found = TABLE.measure(which, codes, depth, np.array([0.2, 0.7, 0.2, 0.99]))
    np.testing.assert_allclose(found.signal, [0.5, 0.51, 0.2, 0.11], atol=1e-6)
    np.testing.assert_allclose(found.score, [0.5, 0.5, 0.2, 0.2], atol=1e-6)
    assert found.cost.tolist() == [3, 3, 3, 1]


def test_an_architecture_that_the_table_lacks_is_a_failed_training_at_no_cost() -> None:
    absent, zero = np.array([[1, 1]]), np.zeros(1, np.int64)
    found = TABLE.measure(zero, absent, zero, np.zeros(1))
    assert np.isnan(found.signal).all() and np.isnan(found.score).all()
    assert found.cost.tolist() == [0]
    assert np.isnan(TABLE.property("size", zero, absent)).all()
    every = TABLE.scores(1)
    assert np.isnan(every[4])
    np.testing.assert_allclose(every[[0, 1, 2, 3, 5]], SCORE[:, 1], atol=1e-6)


def test_the_best_there_is_is_that_of_the_part_that_is_searched() -> None:
    np.testing.assert_allclose(
        best_possible_scores(searches(), capped=False), [0.6, 0.9]
    )
    part = searches(((0, 1), (1, 2)))
    np.testing.assert_allclose(best_possible_scores(part, capped=False), [0.5, 0.8])


def test_a_cap_is_on_the_property_of_the_very_task() -> None:
    cap = Objective("size", np.array([3.0, 2.0]))
    tasks = searches(objective=cap)
    np.testing.assert_allclose(best_possible_scores(tasks, capped=True), [0.5, 0.2])
    allowed = [known_scores(tasks, which, capped=True) for which in (0, 1)]
    assert [len(table) for table in allowed if table is not None] == [3, 2]


@pytest.mark.parametrize(
    ("goal", "expected"), [(0.01, [0.0, 0.0]), (0.3, [0.1, 0.1]), (0.5, [0.2, 0.2])]
)
def test_the_goal_is_what_only_a_share_of_all_exceeds(
    goal: float, expected: list[float]
) -> None:
    # Ascending: 0.1 0.3 0.4 0.5 0.6, and 0.1 0.2 0.7 0.8 0.9.
    np.testing.assert_allclose(goal_regrets(searches(goal=goal)), expected, atol=1e-6)


def test_the_goal_under_a_cap_is_of_what_the_cap_allows() -> None:
    cap = Objective("size", np.array([3.0, 2.0]))
    # Ascending: 0.1 0.3 0.5, and 0.1 0.2.
    found = goal_regrets(searches(goal=0.6, objective=cap))
    np.testing.assert_allclose(found, [0.2, 0.0], atol=1e-6)


def test_validation_goes_by_the_mean_over_the_evaluations() -> None:
    regret = torch.tensor([[0.4, 0.2, 0.0], [0.3, 0.3, 0.3]])
    found = SearchJudge().score(TraceSegment({"regret": regret}), searches())
    assert found.tolist() == pytest.approx([0.2, 0.3])


def test_pictures_show_the_part_that_is_searched_on_the_first_task() -> None:
    part = searches(((0, 1), (1, 2))).take([1])
    arrays = known_space_scores(part)
    np.testing.assert_allclose(arrays["scores"], [0.8, 0.7, np.nan, 0.1], atol=1e-6)
    np.testing.assert_array_equal(arrays["property/size"], [4, 3, np.nan, 1])


def test_searches_are_of_all_tasks_of_the_pool_and_as_noisy_as_asked() -> None:
    tasks = drawn({"noise": 5.0}, tasks=40)
    assert tasks.noise == pytest.approx(0.05)
    assert set(tasks.task_index.tolist()) <= set(tasks.sources)
    assert len(set(tasks.task_index.tolist())) > 8, "of sixteen"


def test_the_film_shows_the_first_searches_of_the_first_training() -> None:
    spec = learner_spec("warm_evolution", budget={"test_tasks": 4})
    label = spec.learners[0].label
    film, tested = None, None
    for event in run(spec, InMemoryRunCache()):
        if isinstance(event, Artefact) and event.name == "film":
            film = event.arrays[f"{label}/architecture"]
        if isinstance(event, Block) and event.learner == label:
            at_home = event.phase == "test" and event.metric == "architecture"
            tested = event.array if at_home else tested
    assert film is not None and tested is not None
    assert len(film) == 3
    np.testing.assert_array_equal(film, tested[0, :3])
    assert (tested[0] != tested[1]).any()
