"""Prior search: shares are counts, the elite is the best, knowledge is a head start."""

import numpy as np

from engine.algorithms.search.knowledge.option_prior import (
    draw_options,
    empty_elite,
    insert_if_better,
    option_probabilities,
)
from engine.protocol import Evaluation, Meta, OuterStepContext, SearchBatch
from engine.protocol.member_chunks import join_segments
from engine.runner.context import RunContext
from engine.runner.validation import adapt_quietly
from tests.laws.small import spec_of


def bench_of(**knobs: object) -> RunContext:
    family = {"name": "nk_landscape", "knobs": {"kinship": 0.9, "rugged": 0}}
    learner = {"name": "prior_search", "knobs": knobs}
    return RunContext(
        spec_of(family=family, learners=[learner], budget={"horizon": 40})
    )


def searches(context: RunContext, count: int) -> SearchBatch:
    tasks = context.draw(context.setting, "test", ("test", 0), count)
    assert isinstance(tasks, SearchBatch)
    return tasks


def regret(context: RunContext, *, taught: bool) -> float:
    tasks, learner = searches(context, 20), context.entries[0].learner
    meta = learner.init(context.streams("init"), tasks)
    for step in range(4 * taught):
        source = context.draw(context.setting, "train", ("train", "tasks", step), 4)
        step_context = OuterStepContext(step, 0, 1, context.streams("lesson", step))
        found = learner.outer(meta, source, step_context, context.estimator)
        assert found.weights is not None
        meta = Meta(found.weights, found.memory)
    return float(adapt_quietly(learner, meta.weights, tasks).traces["regret"].mean())


def told(
    tasks: SearchBatch, codes: np.ndarray, value: np.ndarray, step: int
) -> Evaluation:
    none = np.zeros(tasks.members)
    live = np.ones(tasks.members, bool)
    return Evaluation(step, codes, none, value, value, live)


def test_the_elite_is_the_best_evaluated_architectures_each_once() -> None:
    tasks = searches(bench_of(), 1)
    rng = np.random.default_rng(0)
    index = rng.integers(0, 30, (60, tasks.members))
    table = rng.random(30)
    state = empty_elite(tasks, 5)
    for step, row in enumerate(index):
        codes = tasks.space.codes(row)
        state = insert_if_better(state, told(tasks, codes, table[row], step))
    for member in range(tasks.members):
        truth = np.sort(table[np.unique(index[:, member])])[-5:]
        np.testing.assert_array_equal(np.sort(state.value[member]), truth)


def test_options_are_drawn_as_often_as_they_are_counted() -> None:
    tasks = searches(bench_of(), 1)
    state = empty_elite(tasks, 4)
    counts = np.ones((tasks.members, 6, 4))
    for i in range(3):
        codes = np.full((tasks.members, 6), 2)
        codes[:, 0] = i
        state = insert_if_better(
            state, told(tasks, codes, np.full(tasks.members, 0.5), i)
        )
    policy = option_probabilities(counts, state)
    np.testing.assert_allclose(policy[0, 0], [2 / 7, 2 / 7, 2 / 7, 1 / 7])
    np.testing.assert_allclose(policy[0, 1], [1 / 7, 1 / 7, 4 / 7, 1 / 7])
    uniform = (np.arange(7000) + 0.5) / 7000
    found = draw_options(np.broadcast_to(policy[0, 1], (7000, 4)), uniform)
    assert np.bincount(found).tolist() == [1000, 1000, 4000, 1000]


def test_what_it_favors_is_shown_at_each_step() -> None:
    context = bench_of()
    tasks, learner = searches(context, 2), context.entries[0].learner
    meta = learner.init(context.streams("init"), tasks)
    found = join_segments(list(learner.adapt(meta, tasks, path=True)))
    assert found.path is not None and found.path.shape == (4, 40, 6, 4)
    np.testing.assert_allclose(found.path.sum(-1), 1.0, rtol=1e-5)


def test_knowledge_is_a_head_start_and_shuffled_knowledge_is_none() -> None:
    bare = regret(bench_of(), taught=False)
    assert regret(bench_of(), taught=True) < 0.6 * bare
    assert regret(bench_of(shuffled=True), taught=True) > 0.8 * bare
    ignored = regret(bench_of(weight=0.0), taught=True)
    assert ignored == bare
