"""Laws of every learner that compiles: what is compiled is what it does."""

import pytest
import torch

from engine.algorithms.few_shot.compiled_outer_gradients import (
    CompiledGradients,
    relative_gaps,
)
from engine.contract.registry import part
from engine.protocol import Compile, Meta, Outer, OuterStepContext, run_eagerly
from engine.protocol.member_chunks import chunks
from engine.runner.context import RunContext
from tests.laws.small import learner_spec, names

COMPILES = [n for n in names("learner") if getattr(part("learner", n), "compiles", 0)]
ROUND_OFF = 1e-5


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


@pytest.mark.parametrize("name", COMPILES)
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


@pytest.mark.parametrize("name", COMPILES[:1])
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
