"""The meta-predictor: what source tasks teach it, and what they must not."""

import torch

from engine.protocol import Meta, OuterStepContext, SearchBatch
from engine.runner.context import RunContext
from engine.runner.validation import adapt_quietly
from tests.laws.small import spec_of


def bench_of(**knobs: object) -> RunContext:
    learner = {"name": "meta_predictor", "knobs": knobs}
    family = {"name": "nk_landscape", "knobs": {"kinship": 0.9}}
    return RunContext(
        spec_of(family=family, learners=[learner], budget={"horizon": 40})
    )


def drawn(context: RunContext, pool: str, count: int) -> SearchBatch:
    tasks = context.draw(context.setting, pool, (pool, 0), count)
    assert isinstance(tasks, SearchBatch)
    return tasks


def taught(context: RunContext, lessons: int = 4) -> Meta:
    tasks, learner = drawn(context, "train", 4), context.entries[0].learner
    meta = learner.init(context.streams("init"), tasks)
    for step in range(lessons):
        step_context = OuterStepContext(step, 0, 1, context.streams("lesson", step))
        tasks = context.draw(context.setting, "train", ("train", "tasks", step), 4)
        found = learner.outer(meta, tasks, step_context, context.estimator)
        assert found.weights is not None
        meta = Meta(found.weights, found.memory)
    return meta


def test_without_trust_sources_change_nothing() -> None:
    context = bench_of(trust=0.0)
    tasks, learner = drawn(context, "test", 3), context.entries[0].learner
    fresh = learner.init(context.streams("init"), tasks).weights
    one = adapt_quietly(learner, fresh, tasks).traces
    two = adapt_quietly(learner, taught(context).weights, tasks).traces
    for name, trace in one.items():
        assert torch.equal(trace, two[name]), name


def test_kin_tasks_teach_what_is_good_before_anything_is_trained() -> None:
    context = bench_of()
    tasks, learner = drawn(context, "test", 20), context.entries[0].learner
    fresh = learner.init(context.streams("init"), tasks).weights
    untaught = adapt_quietly(learner, fresh, tasks).traces["regret"]
    known = adapt_quietly(learner, taught(context).weights, tasks).traces["regret"]
    assert known[:, 4].mean() < 0.5 * untaught[:, 4].mean()
    assert known.mean() < 0.6 * untaught.mean()


def test_a_shuffled_source_teaches_nothing() -> None:
    context = bench_of(shuffled=True)
    tasks, learner = drawn(context, "test", 20), context.entries[0].learner
    fresh = learner.init(context.streams("init"), tasks).weights
    untaught = adapt_quietly(learner, fresh, tasks).traces["regret"].mean()
    misled = (
        adapt_quietly(learner, taught(context).weights, tasks).traces["regret"].mean()
    )
    assert misled > 0.8 * untaught


def test_nothing_is_trained_twice() -> None:
    context = bench_of()
    tasks, learner = drawn(context, "test", 3), context.entries[0].learner
    meta = taught(context, 1)
    tried = adapt_quietly(learner, meta.weights, tasks).traces["architecture"].numpy()
    assert all(len(set(row)) == len(row) for row in tried)
