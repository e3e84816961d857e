"""Warm evolution against plain evolution, and its controls against each other."""

from functools import cache

import numpy as np
import pytest

from engine.algorithms.search.knowledge.knowledge_base import KnowledgeBase
from engine.algorithms.search.knowledge.queries import best_architectures
from engine.algorithms.search.knowledge.source_searches import run_source_searches
from engine.algorithms.search.knowledge.warm_start import warm_start
from engine.contract.errors import Refused
from engine.contract.events import Artefact, Block
from engine.contract.run_spec import Input
from engine.learners.baseline.regularized_evolution import RegularizedEvolution
from engine.protocol import Meta, OuterStepContext, SearchBatch
from engine.runner.context import RunContext
from engine.runner.loop import run
from engine.runner.validation import adapt_quietly
from tests.in_memory_run_cache import InMemoryRunCache
from tests.laws.small import learner_spec, spec_of

FAR = {"name": "nk_landscape", "knobs": {"kinship": 0.0}}
NEAR = {"name": "nk_landscape", "knobs": {"kinship": 0.9}}


def bench_of(knobs: dict[str, object], **fields: object) -> RunContext:
    body = {
        "family": NEAR,
        "learners": [{"name": "warm_evolution", "knobs": knobs}],
        "budget": {"horizon": 12},
    }
    return RunContext(spec_of(**body | fields))


def drawn(context: RunContext, count: int = 3) -> SearchBatch:
    tasks = context.draw(context.setting, "test", ("test", 0), count)
    assert isinstance(tasks, SearchBatch)
    return tasks


@cache
def results(family: str) -> dict[tuple[str, str], np.ndarray]:
    """Return the test rows of a run with every control, near or far."""
    knobs: dict[str, dict[str, object]] = {
        "warm": {},
        "shuffled": {"shuffled": True},
        "gated": {"gate": 0.5},
    }
    spec = spec_of(
        family={"near": NEAR, "far": FAR}[family],
        learners=[
            *(
                {"name": "warm_evolution", "label": k, "knobs": v}
                for k, v in knobs.items()
            ),
            {"name": "regularized_evolution", "label": "plain"},
        ],
        replicates=3,
        budget={
            "task_evaluations": 16,
            "test_tasks": 24,
            "horizon": 50,
            "validate_every": 99,
        },
    )
    return {
        (e.learner, e.metric): e.array
        for e in run(spec, InMemoryRunCache())
        if isinstance(e, Block) and e.phase == "test"
    }


def area(family: str, label: str) -> float:
    return float(results(family)[label, "regret_area"].mean())


def test_without_seeds_it_is_regularized_evolution() -> None:
    context = bench_of({"seeds": 0})
    tasks = drawn(context)
    learner = context.entries[0].learner
    meta = learner.init(context.streams("init"), tasks)
    mine = adapt_quietly(learner, meta.weights, tasks).traces
    plain = adapt_quietly(RegularizedEvolution(), {}, tasks.take(range(tasks.members)))
    for name, trace in plain.traces.items():
        np.testing.assert_array_equal(mine[name], trace, err_msg=name)


def test_an_empty_base_leaves_plain_evolution() -> None:
    context = bench_of({"gate": 0.9})
    tasks = drawn(context)
    learner = context.entries[0].learner
    meta = learner.init(context.streams("init"), tasks)
    mine = adapt_quietly(learner, meta.weights, tasks).traces
    plain = adapt_quietly(RegularizedEvolution(), {}, tasks.take(range(tasks.members)))
    # Eighteen come first where there are probes; evolution begins after ten.
    assert (mine["score"][:, :10] == plain.traces["score"][:, :10]).all()


def taught(context: RunContext) -> Meta:
    """Return what one lesson teaches."""
    learner = context.entries[0].learner
    tasks = context.draw(context.setting, "train", ("train", "tasks", 0), 2)
    meta = learner.init(context.streams("init"), tasks)
    step_context = OuterStepContext(0, 0, 1, context.streams("lesson", 0))
    found = learner.outer(meta, tasks, step_context, context.estimator)
    assert found.weights is not None
    return Meta(found.weights, found.memory)


def test_the_first_population_is_the_top_of_the_base() -> None:
    context = bench_of({"seeds": 4})
    meta, tasks = taught(context), drawn(context, 2)
    traces = adapt_quietly(context.entries[0].learner, meta.weights, tasks).traces
    base = KnowledgeBase.from_weights(meta.weights)
    for r in range(2):
        first = tasks.space.index(best_architectures(base, r, 4))
        rows = traces["architecture"][2 * r : 2 * r + 2, :4]
        np.testing.assert_array_equal(rows, np.stack([first, first]))


def test_a_probe_is_not_trained_again_as_an_initial_architecture() -> None:
    context = bench_of({})
    base, tasks = KnowledgeBase.from_weights(taught(context).weights), drawn(context)
    start = warm_start(base, tasks, seeds=6, population=1, probes=5)
    led = tasks.space.index(start.trusted)
    assert led.shape[1] == 11
    assert all(len(np.unique(row)) == 11 for row in led)


def test_every_evaluation_of_the_source_is_an_experience() -> None:
    context = bench_of({})
    base = KnowledgeBase.from_weights(taught(context).weights)
    horizon = context.spec.budget.horizon
    assert base.seen.tolist() == [2 * horizon] * 2
    sample = slice(int(base.top[0]), int(base.top[0]) + 2 * horizon)
    assert sorted(base.step[0, sample].tolist()) == sorted([*range(horizon)] * 2)
    assert set(base.search[0, sample].tolist()) == {0, 1}
    tasks = context.draw(context.setting, "train", ("train", "tasks", 0), 2)
    assert isinstance(tasks, SearchBatch)
    assert set(base.task[0, sample].tolist()) == set(tasks.task_index[:2].tolist())
    clean = tasks.evaluator.scores(int(base.task[0, sample.start]))
    assert clean is not None
    score = clean[tasks.space.index(base.codes[0, sample.start])]
    assert abs(score - base.accuracy[0, sample.start]) < 0.1


def test_a_shuffled_source_keeps_its_accuracies_and_its_architectures() -> None:
    context = bench_of({})
    tasks = context.draw(context.setting, "train", ("train", "tasks", 0), 2)
    assert isinstance(tasks, SearchBatch)
    step_context = OuterStepContext(0, 0, 1, context.streams("lesson", 0))
    true = run_source_searches(tasks, step_context, "random")
    false = run_source_searches(tasks, step_context, "random", shuffled=True)
    np.testing.assert_array_equal(true.codes, false.codes)
    horizon = tasks.horizon
    for first in (0, horizon):
        one, two = (x.accuracy[0, first : first + horizon] for x in (true, false))
        np.testing.assert_array_equal(np.sort(one), np.sort(two))
        assert not np.array_equal(one, two)


def test_a_near_source_helps_and_a_shuffled_one_does_not() -> None:
    warm, shuffled, plain = (area("near", x) for x in ("warm", "shuffled", "plain"))
    assert warm < 0.6 * plain
    assert shuffled > 0.85 * plain


def trusting(family: dict[str, object]) -> float:
    """Return which share of the searches trains the base's best after the probes."""
    knobs = {"gate": 0.5, "probes": 8, "seeds": 10}
    context = bench_of(knobs, family=family, budget={"horizon": 50, "test_tasks": 24})
    learner = context.entries[0].learner
    meta = taught(context)
    tasks = drawn(context, 24)
    tried = adapt_quietly(learner, meta.weights, tasks).traces["architecture"].numpy()
    base = KnowledgeBase.from_weights(meta.weights)
    trusted = []
    for r in range(2):
        best = set(tasks.space.index(best_architectures(base, r, 10)).tolist())
        for row in tried[24 * r : 24 * (r + 1), :18]:
            trusted.append(best <= set(row.astype(int).tolist()))
    return float(np.mean(trusted))


def test_the_gate_is_open_to_a_near_source_and_shut_to_a_far_one() -> None:
    """Eight probes agree by chance, at 0.5 or more, in one search of nine."""
    assert trusting(NEAR) > 0.7
    assert trusting(FAR) < 0.3


def test_a_gate_costs_a_near_source_little() -> None:
    assert area("near", "gated") < 0.6 * area("near", "plain")


def test_the_sources_evaluations_are_counted() -> None:
    context = bench_of({}, budget={"task_evaluations": 16, "horizon": 50})
    plan = context.entries[0].learner.plan(context.spec.budget, context.estimator)
    assert plan.steps * plan.tasks_per_step == 16
    blocks = [
        e
        for e in run(context.spec, InMemoryRunCache())
        if isinstance(e, Block)
        and e.metric == "gradient_evaluations"
        and e.phase == "train"
    ]
    assert [float(b.array) for b in blocks] == [16.0 * 50]


def test_a_base_is_carried_to_another_run_and_refused_by_another_space() -> None:
    spec, cache = learner_spec("warm_evolution"), InMemoryRunCache()
    cache.put("a" * 64, spec, list(run(spec, cache)))
    edge = Input(run="a" * 64, artefact="warm_evolution")
    same = spec.model_copy(update={"inputs": {"warm_evolution": edge}})
    found = [e for e in run(same, cache) if isinstance(e, Artefact)]
    (base,) = (e for e in found if e.kind == "frozen")
    assert base.arrays["filled"].sum() > 0
    fewer = spec.family.model_copy(update={"knobs": spec.family.knobs | {"choices": 3}})
    with pytest.raises(Refused, match="another space"):
        list(run(same.model_copy(update={"family": fewer}), cache))
