"""Laws of every learner that compiles: what is compiled is what it does."""

from collections.abc import Iterator

import pytest
import torch

from engine.algorithms.few_shot.compiled_outer_gradients import (
    CompiledGradients,
    relative_gaps,
)
from engine.contract.registry import part
from engine.kernels.dense_loss import torch_only
from engine.protocol import Compile, Meta, Outer, OuterStepContext, run_eagerly
from engine.protocol.member_chunks import chunks
from engine.runner.compiled_steps import CompiledStep, covers_whole_step
from engine.runner.context import RunContext
from engine.runner.outer_steps import OuterStep, Trees
from tests.laws.small import kind_of, learner_spec, names

COMPILES = [n for n in names("learner") if getattr(part("learner", n), "compiles", 0)]
EPISODIC = [n for n in COMPILES if kind_of(n) == "few_shot"]
ROUND_OFF = 1e-5


@pytest.fixture(autouse=True)
def torch_computes() -> Iterator[None]:
    """Compare with the code that is traced; kernels round otherwise."""
    with torch_only():
        yield


def taught(
    context: RunContext, step: int, done: float, compile_gradient: Compile
) -> Outer:
    """Take a lesson anywhere in training, from weights that are not the start's."""
    (entry,) = context.entries
    tasks = context.draw(context.setting, "train", ("train", "tasks", step), 3)
    start = entry.learner.init(context.streams("init"), tasks)
    draw = torch.Generator().manual_seed(step)
    shaken = {
        name: value * (1 + 0.1 * torch.rand(value.shape, generator=draw))
        for name, value in start.weights.items()
    }
    step_context = OuterStepContext(
        step, 0, 1, context.streams("train", step), done, compile_gradient
    )
    meta = Meta(shaken, start.memory)
    return entry.learner.outer(meta, tasks, step_context, context.estimator)


@pytest.mark.parametrize("name", EPISODIC)
def test_a_graph_compiled_at_the_first_step_is_right_at_later_ones(
    name: str,
) -> None:
    context = RunContext(learner_spec(name))
    followed = CompiledGradients(lambda graph, inputs: graph)
    for step, done in ((0, 0.0), (7, 0.9)):
        quick = taught(context, step, done, followed)
        slow = taught(context, step, done, run_eagerly)
        assert relative_gaps(quick.grads or {}, slow.grads or {}).max() < ROUND_OFF
        torch.testing.assert_close(quick.info, slow.info)
        assert (quick.statistics or {}).keys() == (slow.statistics or {}).keys()
    assert followed.count == 1


@pytest.mark.parametrize("name", EPISODIC[:1])
def test_members_in_chunks_are_followed_once_for_each_size(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = RunContext(learner_spec(name))
    monkeypatch.setattr(type(context.setting.net), "chunk", 2)
    sizes = [
        len(m)
        for m, _ in chunks(
            context.draw(context.setting, "train", ("train", "tasks", 0), 3)
        )
    ]
    assert sizes == [2, 1, 2, 1]
    followed = CompiledGradients(lambda graph, inputs: graph)
    quick = taught(context, 0, 0.0, followed)
    slow = taught(context, 0, 0.0, run_eagerly)
    assert relative_gaps(quick.grads or {}, slow.grads or {}).max() < ROUND_OFF
    assert followed.count == 2


@pytest.mark.parametrize("name", COMPILES)
def test_a_whole_meta_step_traced_at_the_first_is_right_at_later_ones(
    name: str,
) -> None:
    rule = {"name": "adam", "knobs": {"lr": 0.01, "schedule": "cosine"}}
    unroll = {"name": "unroll", "knobs": {"length": 50}}
    short = {"estimator": unroll, "budget": {"horizon": 3}}
    fields = {} if name in EPISODIC else short
    context = RunContext(learner_spec(name, outer=rule, **fields))
    (entry,) = context.entries
    plan = entry.learner.plan(context.spec.budget, context.estimator)
    eager = OuterStep(context, entry, plan)
    compiled = CompiledStep(eager, lambda graph, inputs: graph)
    for step in (0, plan.steps - 1):
        tasks = context.draw(context.setting, "train", ("train", "tasks", step), 2)
        if not covers_whole_step(entry.learner, tasks):
            pytest.skip("only its gradient is compiled")
        trees = shaken_trees(context, step)
        quick, slow = (take(trees, tasks, step) for take in (compiled, eager))
        assert quick.trees.keys() == slow.trees.keys() and quick.grads
        for part_of, tree in slow.trees.items():
            torch.testing.assert_close(quick.trees[part_of], tree)
        torch.testing.assert_close(quick.info, slow.info)
    assert compiled.count == 1


def shaken_trees(context: RunContext, step: int) -> Trees:
    """Return the trees of a training that is on its way."""
    (entry,) = context.entries
    tasks = context.draw(context.setting, "train", ("train", "tasks", 0), 2)
    meta = entry.learner.init(context.streams("init"), tasks)
    draw = torch.Generator().manual_seed(step)
    weights = {
        name: value * (1 + 0.1 * torch.rand(value.shape, generator=draw))
        for name, value in meta.weights.items()
    }
    state = context.outer.start(weights)
    return {"weights": weights, "memory": meta.memory, "outer": state, "kept": weights}
