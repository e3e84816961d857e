"""Tuned evolution: its evolution is the plain one, and its races are paired."""

import numpy as np
import pytest
import torch

from engine.algorithms.search.evolution import SizedEvolution
from engine.algorithms.search.search_loop import run_search
from engine.learners.baseline.regularized_evolution import RegularizedEvolution
from engine.learners.search.tuned_evolution import GRID, TunedEvolution, _best_sizes
from engine.protocol import OuterStepContext, SearchBatch
from engine.runner.context import RunContext
from engine.runner.validation import adapt_quietly
from tests.laws.small import spec_of


def bench_of(horizon: int = 30, **knobs: object) -> RunContext:
    family = {"name": "nk_landscape", "knobs": knobs}
    learner = {"name": "tuned_evolution"}
    return RunContext(
        spec_of(family=family, learners=[learner], budget={"horizon": horizon})
    )


def drawn(context: RunContext, pool: str = "test", count: int = 3) -> SearchBatch:
    tasks = context.draw(context.setting, pool, (pool, 0), count)
    assert isinstance(tasks, SearchBatch)
    return tasks


@pytest.mark.parametrize(("size", "sample"), [(10, 10), (5, 2), (50, 25)])
def test_each_member_evolves_as_one_of_its_sizes_does(size: int, sample: int) -> None:
    """Members with other sizes beside it change nothing."""
    tasks = drawn(bench_of())
    sizes, samples = np.full((2, tasks.members), 20)
    sizes[2], samples[2] = size, sample
    varied = SizedEvolution.of(tasks, sizes, samples)
    found = run_search(
        tasks,
        varied.start(tasks),
        lambda step, state: varied.ask(tasks, step, state),
        lambda state, told: (varied.tell(state, told), {}),
    )
    mine = torch.cat([part.traces["architecture"] for part in found], 1)
    plain = RegularizedEvolution(population=size, sample=sample)
    truth = adapt_quietly(plain, {}, tasks.take([2])).traces["architecture"]
    assert torch.equal(mine[2:3], truth)


def test_untrained_it_is_regularized_evolution() -> None:
    context = bench_of()
    tasks, learner = drawn(context), context.entries[0].learner
    meta = learner.init(context.streams("init"), tasks)
    mine = adapt_quietly(learner, meta.weights, tasks).traces
    plain = adapt_quietly(RegularizedEvolution(), {}, tasks.take(range(6))).traces
    assert torch.equal(mine["regret"], plain["regret"])


def test_the_best_setting_has_the_largest_gain_and_the_usual_wins_ties() -> None:
    merit = torch.zeros(3, len(GRID), dtype=torch.float64)
    merit[1, 4], merit[1, 2], merit[2, 1:] = 0.2, 0.1, -0.1
    assert _best_sizes(merit)["sizes"].tolist() == [
        GRID[0].tolist(),
        GRID[4].tolist(),
        GRID[0].tolist(),
    ]


def test_a_race_counts_both_searches_and_their_difference() -> None:
    context = bench_of()
    learner = TunedEvolution()
    tasks = drawn(context, "train", 2)
    meta = learner.init(context.streams("init"), tasks)
    step_context = OuterStepContext(3, 0, 1, context.streams("lesson", 3))
    found = learner.outer(meta, tasks, step_context, context.estimator)
    size, sample = GRID[4].tolist()
    merits = []
    for rule in (
        RegularizedEvolution(population=size, sample=sample),
        RegularizedEvolution(),
    ):
        signal = adapt_quietly(rule, {}, tasks.take(range(4))).traces["signal"].numpy()
        merits.append(np.maximum.accumulate(signal, 1).mean(1).reshape(2, 2).sum(1))
    np.testing.assert_allclose(found.memory["gain"][:, 4], merits[0] - merits[1])
    assert found.memory["races"].sum(1).tolist() == [2.0, 2.0]
    plan = learner.plan(context.spec.budget, context.estimator)
    each = context.spec.budget.tasks_per_step
    assert plan.steps == context.spec.budget.task_evaluations // (2 * each)
    assert plan.gradients == 2 * context.spec.budget.horizon


def test_in_a_short_search_a_small_population_is_chosen() -> None:
    context = bench_of(horizon=25, rugged=0)
    learner = context.entries[0].learner
    meta = learner.init(context.streams("init"), drawn(context))
    for step in range(len(GRID) - 1):
        tasks = context.draw(context.setting, "train", ("train", "tasks", step), 6)
        step_context = OuterStepContext(step, 0, 1, context.streams("lesson", step))
        found = learner.outer(meta, tasks, step_context, context.estimator)
        assert found.weights is not None
        meta = meta._replace(weights=found.weights, memory=found.memory)
    assert (meta.weights["sizes"][:, 0] < 20).all()
    assert (meta.memory["races"][:, 1:] == 6).all()
