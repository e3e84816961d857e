"""What a policy carries from task to task, and that shuffled sources carry nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.algorithms.search.policy.curriculum import Curriculum
from engine.algorithms.search.policy.multi_task_training import (
    choose_source_tasks,
    draw_permutations,
    permute_codes,
)
from engine.contract.rng import Rng
from engine.learners.search.meta_policy import MetaPolicy
from engine.protocol import OuterStepContext, SearchBatch
from tests.learners.search_policy.made import (
    landscapes,
    opposed,
    schooled,
    surely,
    traces,
)

KNOBS = {"meta_rate": 0.02, "hidden": 16}


def course(lessons: int, **knobs: object) -> list[SearchBatch]:
    """Draw the tasks of some lessons."""
    whole = landscapes(4 * lessons, 15, "train", **knobs)
    return [whole.take(range(4 * i, 4 * i + 4)) for i in range(lessons)]


def gain(learner: MetaPolicy, **knobs: object) -> np.ndarray:
    """Return by how much a course lowers the mean regret of test searches."""
    meta, _ = schooled(learner, course(25, **knobs))
    tests = landscapes(150, 15, "test", **knobs)
    before = traces(learner, tests)["regret"].mean(1)
    return np.asarray(before - traces(learner, tests, meta)["regret"].mean(1))


def test_kin_tasks_teach_and_shuffled_ones_do_not() -> None:
    true = gain(MetaPolicy(**KNOBS, fine_tune=0.0), kinship=0.8)
    shuffled = gain(MetaPolicy(**KNOBS, fine_tune=0.0, shuffled=True), kinship=0.8)
    assert surely(true) > 0
    assert surely(true - shuffled) > 0
    assert shuffled.mean() < 0.25 * true.mean()


@pytest.mark.parametrize("order", ["uniform", "easy first", "hard first", "competence"])
def test_every_curriculum_says_what_it_covers(order: str) -> None:
    learner = MetaPolicy(**KNOBS, curriculum=order)
    meta, told = schooled(learner, course(10))
    coverage = [float(info["task_coverage"][0]) for info in told]
    assert coverage == sorted(coverage) and 0 < coverage[0] <= 4 / 16
    assert all(0 <= float(info["mean_difficulty"][0]) <= 1 for info in told)
    visits = meta.memory["curriculum_visits"]
    assert float(visits.sum()) == 40
    if order != "uniform":  # every task is met before any is ordered
        assert coverage[3] == 1.0


def test_a_chosen_curriculum_faces_other_tasks_than_were_drawn() -> None:
    lessons = course(9)
    learner = MetaPolicy(**KNOBS, curriculum="easy first")
    meta, _ = schooled(learner, lessons)
    difficulty = meta.memory["curriculum_difficulty"][0].numpy()
    visits = meta.memory["curriculum_visits"][0].numpy()
    again = np.flatnonzero(visits > 1)
    assert len(again) < 16
    assert difficulty[again].max() <= np.sort(difficulty)[len(again) + 3]


@pytest.mark.parametrize("order", ["uniform", "competence"])
def test_a_lesson_searches_the_tasks_that_its_curriculum_names(order: str) -> None:
    tasks = landscapes(6, 5, "train", replicates=2)
    begun = Curriculum.empty(2, len(tasks.sources))
    step_context = OuterStepContext(0, 0, 1, (Rng(1), Rng(2)))
    places, chosen = choose_source_tasks(begun, order, tasks, step_context)  # type: ignore[arg-type]
    assert places.shape == (2, 3)
    np.testing.assert_array_equal(
        np.array(tasks.sources)[places].ravel(), chosen.task_index
    )
    assert (order == "uniform") == np.array_equal(chosen.task_index, tasks.task_index)


def test_features_tell_tasks_apart() -> None:
    # Two kinds of tasks that want opposite things of every decision.
    both = opposed(landscapes(8, 15, "train", kinship=0.0, rugged=0))
    both = both.with_tasks(np.arange(8))
    reached = {}
    for told in ("nothing", "features"):
        learner = MetaPolicy(**KNOBS, told=told, fine_tune=0.0)
        meta, _ = schooled(learner, [both] * 15)
        reached[told] = float(np.mean(traces(learner, both, meta)["signal"]))
    assert reached["features"] > reached["nothing"] + 0.15


def test_fine_tuning_starts_from_the_learned_policy_and_leaves_the_weights() -> None:
    tasks = landscapes(3, 10)
    learned, _ = schooled(MetaPolicy(**KNOBS), course(5))
    before = {name: w.clone() for name, w in learned.weights.items()}
    still, tuned = (
        traces(MetaPolicy(**KNOBS, fine_tune=rate), tasks, learned)
        for rate in (0.0, 0.05)
    )
    first = slice(0, 2)  # the first reward only sets the scale
    np.testing.assert_array_equal(
        still["architecture"][:, first], tuned["architecture"][:, first]
    )
    assert not np.array_equal(still["entropy"], tuned["entropy"])
    for name, weights in learned.weights.items():
        assert torch.equal(weights, before[name])


def test_a_shuffle_is_one_to_one_and_the_same_in_every_lesson(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tasks = landscapes(2, 5)
    every = np.arange(tasks.space.size)
    for listed in (20_000, 10):
        monkeypatch.setattr(
            "engine.algorithms.search.policy.multi_task_training.LISTED", listed
        )
        swap = draw_permutations(tasks, [Rng(1)])
        np.testing.assert_array_equal(swap, draw_permutations(tasks, [Rng(1)]))
        found = [
            tasks.space.index(
                permute_codes(tasks.take([0]), tasks.space.codes(i[None]), swap[:1])
            )[0]
            for i in every
        ]
        assert sorted(found) == every.tolist() and found != every.tolist()


def test_a_policy_of_another_space_is_refused_in_one_sentence() -> None:
    small, large = landscapes(2, 5), landscapes(2, 5, size=5)
    learner = MetaPolicy()
    meta = learner.init([Rng(1)], small)
    assert learner.why_not(meta, small) is None
    assert "3 × 3 × 3 × 3 options" in learner.why_not(meta, large)
    other = replace(small, space=replace(small.space, name="others"))
    assert (
        learner.why_not(meta, other)
        == "its policy was trained on another space than others"
    )
    told = MetaPolicy(told="features")
    assert "with 0 task features; these have 1" in told.why_not(meta, opposed(small))
