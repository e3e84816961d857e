"""Laws of every family of optimization tasks, with the plainest learner."""

import numpy as np
import pytest
import torch

from engine.contract.events import Block
from engine.protocol import OptimizationBatch
from engine.runner.context import RunContext
from tests.laws.small import assert_same, events, families, learner_spec, rows

FAMILIES = families()


def drawn(
    family: str, replicates: int, tasks: int, horizon: int = 8
) -> OptimizationBatch:
    """Draw test tasks of a family."""
    budget = {"horizon": horizon}
    net = {"name": "mlp", "knobs": {"batch_size": 4}}
    spec = learner_spec("sgd", family, replicates=replicates, budget=budget, net=net)
    context = RunContext(spec)
    return context.draw(context.setting, "test", ("test", 0), tasks)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_spec_gives_the_same_rows(family: str) -> None:
    assert_same(rows(learner_spec("sgd", family)), rows(learner_spec("sgd", family)))


@pytest.mark.parametrize("family", FAMILIES)
def test_draws_do_not_depend_on_how_many_are_drawn(family: str) -> None:
    few, many = drawn(family, 2, 2), drawn(family, 3, 4, horizon=12)
    index = [0, 1, 4, 5]
    same = many.take(index)
    assert torch.equal(few.start(), same.start())
    for step in range(8):
        one, two = few.gradient(few.start(), step), same.gradient(same.start(), step)
        torch.testing.assert_close(one.loss, two.loss, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_pools_give_different_tasks(family: str) -> None:
    context = RunContext(learner_spec("sgd", family))
    path = ("tasks", 0)
    losses = [
        context.draw(context.setting, pool, (pool, *path), 2).start()
        for pool in ("train", "validation", "test")
    ]
    gradients = [
        context.draw(context.setting, pool, (pool, *path), 2).gradient(start, 0).loss
        for pool, start in zip(("train", "validation", "test"), losses, strict=True)
    ]
    assert not torch.equal(gradients[0], gradients[1])
    assert not torch.equal(gradients[1], gradients[2])


@pytest.mark.parametrize("family", FAMILIES)
def test_copies_lie_between_replicate_and_task(family: str) -> None:
    tasks = drawn(family, 2, 3)
    copies = tasks.repeat(2)
    order = [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]
    assert torch.equal(copies.start(), tasks.start()[order])
    assert copies.replicates == tasks.replicates


@pytest.mark.parametrize("family", FAMILIES)
def test_every_test_row_is_a_number_or_a_counted_divergence(family: str) -> None:
    found = {
        (e.metric): e.array
        for e in events(learner_spec("sgd", family))
        if isinstance(e, Block) and e.phase == "test"
    }
    lost = found["diverged"] > 0
    assert (np.isnan(found["final_loss"]) == lost).all()
    assert np.isfinite(found["area"]).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_gradient_is_that_of_the_loss(family: str) -> None:
    context = RunContext(learner_spec("sgd", family))
    place = context.batch_spec._replace(dtype=torch.float64)
    streams = [r.child(t) for r in context.streams("test", 0) for t in range(2)]
    setting = context.setting.family.draw(context.setting, streams, "test", place)
    start = setting.start()
    start = start + 0.01 * torch.ones_like(start)
    by_hand = setting.gradient(start, 0)
    leaf = start.clone().requires_grad_()
    by_autograd = setting.gradient(leaf, 0, order=1)
    torch.testing.assert_close(by_hand.loss, by_autograd.loss.detach())
    torch.testing.assert_close(by_hand.grad, by_autograd.grad.detach())
    away = torch.randn(start.shape, generator=torch.Generator().manual_seed(0)).to(
        start
    )
    up = setting.gradient(start + 1e-6 * away, 0).loss
    down = setting.gradient(start - 1e-6 * away, 0).loss
    slope = (by_hand.grad * away).sum(1)
    torch.testing.assert_close((up - down) / 2e-6, slope, rtol=1e-4, atol=1e-5)
