"""Laws of every learner, on one family of the kind that it solves."""

from collections.abc import Iterator
from contextlib import closing
from functools import cache
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np
import pytest
import torch

from engine.contract.events import Block, Checkpoint, Event
from engine.contract.registry import part
from engine.protocol import Meta
from engine.runner.context import RunContext
from engine.runner.meta_training import MetaTraining
from engine.runner.validation import adapt_quietly
from tests.laws.small import (
    PLAIN,
    TINY,
    assert_same,
    collected,
    events,
    kind_of,
    learner_spec,
    names,
    rows,
)

LEARNERS = names("learner")
TRAINED = [n for n in LEARNERS if getattr(part("learner", n), "trains", False)]
JUDGED = [n for n in TRAINED if not getattr(part("learner", n), "keeps_last", False)]


class TinyRun(NamedTuple):
    """The events of a run, and after which of them gradients were recorded."""

    events: list[Event]
    with_gradients: list[bool]


@cache
def tiny_run(name: str) -> TinyRun:
    """Return a learner's tiny run; it is played once for all laws that look at it."""
    seen = [(event, torch.is_grad_enabled()) for event in events(learner_spec(name))]
    return TinyRun([event for event, _ in seen], [grad for _, grad in seen])


def tiny_rows(name: str) -> dict[object, np.ndarray]:
    """Return every number of a learner's tiny run."""
    return collected(iter(tiny_run(name).events))


@cache
def larger_rows(name: str) -> dict[object, np.ndarray]:
    """Return the numbers of one more replicate, task and condition: severity 0."""
    shifts = [{"name": TINY[kind_of(name)].shift, "severities": [0.0]}]
    more = learner_spec(name, replicates=3, budget={"test_tasks": 3}, shifts=shifts)
    return rows(more)


def segments(name: str) -> list[tuple[int, int]]:
    """Return where the tiny run's checkpoints lie, each with the next, or the end."""
    run = tiny_run(name).events
    found = [at for at, event in enumerate(run) if isinstance(event, Checkpoint)]
    return list(pairwise([*found, len(run) - 1]))


def resumed(name: str, at: int) -> Iterator[Event]:
    """Resume the tiny run from one of its checkpoints, as a file gives it back."""
    point = tiny_run(name).events[at]
    assert isinstance(point, Checkpoint)
    arrays = dict(sorted(point.arrays.items(), reverse=True))  # by name: not our order
    return events(learner_spec(name), Checkpoint(arrays, point.state))


def assert_same_until(one: list[Event], two: list[Event]) -> None:
    """Compare the rows of two runs, and the checkpoint that both are cut at."""
    assert_same(collected(iter(one)), collected(iter(two)))
    if isinstance(one[-1], Checkpoint):
        assert isinstance(two[-1], Checkpoint) and one[-1].state == two[-1].state
        np.testing.assert_equal(dict(two[-1].arrays), dict(one[-1].arrays))


def traces_of(context: RunContext) -> dict[str, torch.Tensor]:
    """Return what the learner measures on two test tasks, untrained."""
    learner = context.entries[0].learner
    tasks = context.draw(context.setting, "test", ("test", 0), 2)
    meta = learner.init(context.streams("init"), tasks)
    return adapt_quietly(learner, meta.weights, tasks).traces


def until_checkpoint(stream: Iterator[Event]) -> Iterator[Event]:
    """Yield events up to the first checkpoint, or to the end."""
    for event in stream:
        yield event
        if isinstance(event, Checkpoint):
            return


@pytest.mark.parametrize("name", LEARNERS)
def test_the_same_spec_gives_the_same_rows_up_to_its_first_checkpoint(
    name: str,
) -> None:
    """The rest is played again from each checkpoint, by the law of resuming."""
    run = tiny_run(name).events
    with closing(events(learner_spec(name))) as stream:
        again = list(until_checkpoint(stream))
    assert_same_until(run[: segments(name)[0][0] + 1], again)


@pytest.mark.parametrize("kind", TINY)
def test_the_same_spec_gives_the_same_rows_to_its_end(kind: str) -> None:
    name = PLAIN[kind]
    assert_same(tiny_rows(name), rows(learner_spec(name)))


@pytest.mark.parametrize("name", LEARNERS)
def test_another_seed_gives_other_traces(name: str) -> None:
    one, two = (traces_of(RunContext(learner_spec(name, seed=n))) for n in (3, 4))
    # An oracle's regret is 0 with every seed, but not its return.
    assert any(not torch.equal(one[each], two[each]) for each in one)


@pytest.mark.parametrize("name", LEARNERS)
def test_no_grad_mode_is_held_across_an_event(name: str) -> None:
    run = tiny_run(name)
    assert len(run.events) > 1
    assert all(run.with_gradients), run.events[run.with_gradients.index(False)]


@pytest.mark.parametrize("name", LEARNERS)
def test_closing_between_two_checkpoints_leaves_true_rows(name: str) -> None:
    whole, compared = tiny_rows(name), 0
    # The longest have the most events to close at.
    longest = sorted(segments(name), key=lambda ends: ends[1] - ends[0])[-3:]
    for start, end in longest:
        with closing(resumed(name, start)) as stream:
            written = list(islice(stream, (end - start + 1) // 2))
        for event in written:
            live = isinstance(event, Block) and event.phase == "validate"
            if isinstance(event, Block) and not live:
                np.testing.assert_array_equal(event.array, whole[event.address()])
                compared += 1
    assert compared


@pytest.mark.parametrize("name", LEARNERS)
def test_a_run_resumed_from_any_checkpoint_gives_the_rows_of_the_unbroken_one(
    name: str,
) -> None:
    """From each checkpoint to the next one, which must be the same to the bit, too."""
    run = tiny_run(name).events
    assert len(segments(name)) > 1
    for start, end in segments(name):
        with closing(resumed(name, start)) as stream:
            written = list(until_checkpoint(stream))
        assert_same_until(run[: end + 1], [*run[: start + 1], *written])


@pytest.mark.parametrize("name", LEARNERS)
def test_adapting_twice_gives_the_same_traces(name: str) -> None:
    context = RunContext(learner_spec(name))
    learner = context.entries[0].learner
    tasks = context.draw(context.setting, "test", ("test", 0), 2)
    meta = learner.init(context.streams("init"), tasks)
    one = adapt_quietly(learner, meta.weights, tasks).traces
    two = adapt_quietly(learner, meta.weights, tasks).traces
    assert one.keys() == two.keys() and one
    for trace in one:
        assert torch.equal(one[trace].nan_to_num(), two[trace].nan_to_num()), trace


@pytest.mark.parametrize("name", LEARNERS)
def test_more_replicates_or_tasks_leave_the_earlier_rows_unchanged(name: str) -> None:
    few, many = tiny_rows(name), larger_rows(name)
    for metric in TINY[kind_of(name)].metrics:
        address = (name, "test", metric, "", "", 0.0)
        assert many[address].shape[:2] == (3, 3)
        earlier = many[address][:2, :2]
        np.testing.assert_allclose(few[address], earlier, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", LEARNERS)
def test_severity_0_is_the_clean_family_bit_for_bit(name: str) -> None:
    tiny, found = TINY[kind_of(name)], larger_rows(name)
    for metric in (*tiny.metrics, "diverged"):
        clean = found[name, "test", metric, "", "", 0.0]
        np.testing.assert_array_equal(
            clean, found[name, "test", metric, "", tiny.shift, 0.0]
        )


@pytest.mark.parametrize("name", LEARNERS)
def test_members_together_equal_members_alone_in_float64(name: str) -> None:
    context = RunContext(learner_spec(name))
    place = context.batch_spec._replace(dtype=torch.float64)
    streams = [r.child(t) for r in context.streams("test", 0) for t in range(3)]
    tasks = context.setting.family.draw(context.setting, streams, "test", place)
    learner = context.entries[0].learner
    meta = learner.init(context.streams("init"), tasks)
    together = adapt_quietly(learner, meta.weights, tasks).traces
    for member in range(tasks.members):
        weights = {k: v[member // 3 : member // 3 + 1] for k, v in meta.weights.items()}
        alone = adapt_quietly(learner, weights, tasks.take([member])).traces
        assert alone.keys() == together.keys() and alone
        for trace, found in alone.items():
            mine = together[trace][member : member + 1]
            torch.testing.assert_close(mine, found, rtol=0, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("name", JUDGED)
def test_a_nan_score_never_wins(name: str) -> None:
    context = RunContext(learner_spec(name))
    entry = context.entries[0]
    tasks = context.draw(context.setting, "train", ("train", "tasks", 0), 1)
    plan = entry.learner.plan(context.spec.budget, context.estimator)
    course = MetaTraining.start(context, entry, plan, tasks)
    course.keep_best(torch.tensor([0.5, 0.5]), 0)
    kept = {k: v.clone() for k, v in course.trees["kept"].items()}
    course.trees["weights"] = {k: v + 1 for k, v in course.trees["weights"].items()}
    course.keep_best(torch.tensor([torch.nan, 0.1]), 0)
    assert kept
    for key, value in course.trees["kept"].items():
        assert torch.equal(value[0], kept[key][0])
        assert torch.equal(value[1], kept[key][1] + 1)


def validations(stream: Iterator[Event]) -> Iterator[np.ndarray]:
    """Yield the validation scores of a run, (replicate,), the start's first."""
    metrics = {f"validation{end}" for end in ("", "_error", "_regret", "_cost")}
    for event in stream:
        # Tuning after training scores rates, not checkpoints.
        scored = isinstance(event, Block) and event.phase != "tune"
        if scored and event.metric in metrics:
            yield event.array


@pytest.mark.parametrize("name", TRAINED)
def test_no_validation_of_a_short_training_is_nan(name: str) -> None:
    scores = list(validations(iter(tiny_run(name).events)))
    assert len(scores) > 1 and not np.isnan(scores).any()


@pytest.mark.parametrize("name", JUDGED)
def test_a_little_training_finds_a_better_validation_than_the_start(name: str) -> None:
    spec = learner_spec(name, budget={"task_evaluations": 400, "validate_every": 2})
    with closing(events(spec)) as stream:
        scores = validations(stream)
        start = next(scores)
        # It ends at the first that is better: the rest could not undo that.
        assert any((score < start).any() for score in scores), (
            "meta-training changed nothing"
        )


@pytest.mark.parametrize("name", sorted({*TRAINED} - {*JUDGED}))
def test_a_learner_that_keeps_its_last_weights_freezes_them(name: str) -> None:
    context = RunContext(learner_spec(name))
    entry = context.entries[0]
    tasks = context.draw(context.setting, "train", ("train", "tasks", 0), 1)
    plan = entry.learner.plan(context.spec.budget, context.estimator)
    course = MetaTraining.start(context, entry, plan, tasks)
    course.keep_best(torch.tensor([0.5, 0.5]), 0)
    course.trees["weights"] = {k: v + 1 for k, v in course.trees["weights"].items()}
    course.keep_best(torch.tensor([0.9, torch.nan]), 0)
    assert course.trees["weights"]
    for key, value in course.trees["weights"].items():
        assert torch.equal(course.trees["kept"][key], value)


def test_frozen_weights_that_change_are_found() -> None:
    from engine.runner.frozen_learners import check_frozen, freeze_learner
    from engine.runner.state import RunState

    context = RunContext(learner_spec("lr_scale"))
    entry, state = context.entries[0], RunState()
    tasks = context.draw(context.setting, "train", ("train", "tasks", 0), 1)
    weights = entry.learner.init(context.streams("init"), tasks).weights
    state.metas[entry.label] = weights
    freeze_learner(context, entry, weights, state)
    (same,) = check_frozen(state)
    assert same.array == 0
    weights["w0"] += 1
    with pytest.raises(RuntimeError, match="changed"):
        list(check_frozen(state))


def test_lr_scale_at_its_start_is_sgd() -> None:
    context = RunContext(
        learner_spec("lr_scale", learners=[{"name": "lr_scale"}, {"name": "sgd"}])
    )
    tasks = context.draw(context.setting, "test", ("test", 0), 2)
    losses = []
    for entry in context.entries:
        meta: Meta = entry.learner.init(context.streams("init"), tasks)
        losses.append(adapt_quietly(entry.learner, meta.weights, tasks).traces["loss"])
    assert torch.equal(*losses)
