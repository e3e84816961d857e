"""Learners that read step by step: MANN and the recurrent net."""

from dataclasses import replace

import pytest
import torch

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.learners.memory.mann import Mann
from engine.learners.memory.recurrent import Recurrent
from engine.protocol import EpisodeBatch, Meta, Weights
from engine.tasks.few_shot.gaussian_sequences import GaussianSequences
from tests.learners.clouds import (
    answered,
    begun,
    clouds,
    drawn_from,
    slope,
    waves,
)

READERS: tuple[FewShotLearner, ...] = (
    Recurrent(cell="lstm", hidden=7),
    Recurrent(cell="gru", hidden=7),
    Mann(hidden=7, slots=6, width=3, heads=2),
)
each_reader = pytest.mark.parametrize(
    "learner", READERS, ids=lambda one: repr(one)[:18]
)


def sequences(count: int = 3) -> EpisodeBatch:
    """Draw online episodes."""
    family = GaussianSequences(ways=4, presentations=9, dimensions=6)
    return drawn_from(family, count)


def relabeled_at(tasks: EpisodeBatch, step: int) -> EpisodeBatch:
    """Return the tasks with another label revealed at one step."""
    y = tasks.support.y.clone()
    y[:, step] = (y[:, step] + 1) % tasks.outputs
    return replace(tasks, support=replace(tasks.support, y=y))


@each_reader
def test_a_label_comes_one_step_late(learner: FewShotLearner) -> None:
    tasks = sequences()
    weights = begun(learner, tasks)
    one = answered(learner, tasks, weights)
    two = answered(learner, relabeled_at(tasks, 4), weights)
    assert torch.equal(one[..., :5], two[..., :5])
    assert (one[..., 5:] != two[..., 5:]).any(1).all()


@each_reader
def test_an_online_answer_is_that_to_one_query_after_what_was_shown(
    learner: FewShotLearner,
) -> None:
    tasks = sequences()
    weights = begun(learner, tasks)
    online = answered(learner, tasks, weights)
    for seen in (1, 5, 8):
        alone = answered(learner, tasks.split(seen, seen + 1), weights)
        torch.testing.assert_close(online[..., seen], alone[..., 0], rtol=0, atol=1e-12)


@each_reader
@pytest.mark.parametrize("draw", [clouds, waves])
def test_queries_are_answered_from_the_same_state(
    learner: FewShotLearner, draw: object
) -> None:
    tasks = draw()  # type: ignore[operator]
    weights = begun(learner, tasks)
    together = answered(learner, tasks, weights)
    cut = replace(tasks, query=tasks.query.cut(2, 3))
    alone = answered(learner, cut, weights)
    torch.testing.assert_close(together[..., 2:3], alone, rtol=0, atol=1e-12)


@each_reader
def test_the_gradient_is_that_of_finite_differences(learner: FewShotLearner) -> None:
    tasks = sequences(2)
    weights = begun(learner, tasks)

    def loss(theta: Weights) -> float:
        out = answered(learner, tasks, theta)
        return tasks.each_loss(out, tasks.query.y).mean().item()

    for name in weights:
        found, expected = slope(learner, weights, tasks, name, loss)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-8)


@each_reader
def test_other_ways_are_refused_with_their_numbers(learner: FewShotLearner) -> None:
    tasks = sequences()
    meta = Meta(begun(learner, tasks), {})
    assert learner.why_not(meta, tasks) is None
    reason = learner.why_not(meta, clouds(ways=3))
    assert reason is not None and "4 ways" in reason and "3" in reason


def test_the_usage_of_every_slot_is_shown_over_time() -> None:
    learner, tasks = READERS[2], sequences()
    shown = learner.inspect(Meta(begun(learner, tasks), {}), tasks)["memory_usage"]
    assert shown.axes == ("time", "slot")
    assert shown.values.shape == (1, 9, 6)
    # Each of two heads reads and writes with a total weight of 1, or has read nothing.
    total = shown.values[0].sum(1)
    assert 2 < total[0] <= 4
    assert torch.all(total[1:] <= 0.95 * total[:-1] + 4 + 1e-9)
