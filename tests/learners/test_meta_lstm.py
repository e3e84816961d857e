"""Gates that are fixed are SGD; what they read is a constant."""

import math

import pytest
import torch

from engine.learners.gradient.maml import Maml
from engine.learners.optimizer.meta_lstm import MetaLstm
from engine.protocol import Meta, Weights
from tests.learners.gradient.made import classes, meta_gradient, meta_step, sines, start

RATE = 0.1
HIDDEN = [0, 3]


def by_member(theta: Weights) -> Weights:
    return {name: value.repeat_interleave(3, 0) for name, value in theta.items()}


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("make", [sines, classes], ids=["values", "classes"])
def test_with_open_forget_gates_and_a_constant_input_gate_it_is_sgd(
    make: object, hidden: int
) -> None:
    tasks = make()  # type: ignore[operator]
    learner = MetaLstm(inner_lr=RATE, inner_steps=3, hidden=hidden)
    theta = start(learner, tasks)
    theta["gates.w"].zero_()
    theta["gates.b"][:, 0] = 50.0  # σ(50) is 1 to the last bit
    plain = {name: theta[name] for name in tasks.layout.names}
    sgd = Maml(inner_lr=RATE, inner_steps=3)
    for mine, theirs in zip(
        learner.predict(by_member(theta), tasks),
        sgd.predict(by_member(plain), tasks),
        strict=True,
    ):
        torch.testing.assert_close(
            mine.query_outputs, theirs.query_outputs, rtol=0, atol=1e-7
        )


@pytest.mark.parametrize("hidden", HIDDEN)
def test_it_starts_near_sgd_with_its_first_rate(hidden: int) -> None:
    tasks = sines()
    learner = MetaLstm(inner_lr=RATE, hidden=hidden)
    bias = start(learner, tasks)["gates.b"].sigmoid()
    assert bias[:, 1].tolist() == pytest.approx([RATE, RATE])
    assert (bias[:, 0] > 0.99).all()


def test_steps_are_the_papers_equation_for_each_weight_alone() -> None:
    """By plain loops over weights and gates, with gates far from constant."""
    tasks = sines(replicates=1, tasks=1)
    learner = MetaLstm(inner_lr=RATE)
    theta = start(learner, tasks)
    draw = torch.Generator().manual_seed(3)
    theta["gates.w"] = torch.randn(1, 2, 6, generator=draw, dtype=torch.float64)
    weights = {n: theta[n].clone().requires_grad_() for n in tasks.layout.names}
    past = {n: [torch.zeros_like(w)] * 2 for n, w in weights.items()}
    found = learner.predict(theta, tasks)
    for _ in range(3):
        want = tasks.answer(weights, tasks.query).detach()
        outputs = next(found).query_outputs
        torch.testing.assert_close(outputs, want, rtol=0, atol=1e-12)
        loss = tasks.loss(weights, tasks.support)
        slopes = torch.autograd.grad(loss.sum(), list(weights.values()))
        for (name, weight), slope in zip(list(weights.items()), slopes, strict=True):
            size = (slope.abs().log() / 10).clamp(min=-1)
            known = torch.where(size > -1, slope.sign(), math.exp(10) * slope)
            seen = [size, known, loss.detach().log() / 10, loss.detach().sign(), weight]
            past[name] = [
                torch.sigmoid(
                    sum(w * x for w, x in zip(row, [*seen, gate], strict=True)) + b
                )
                for row, b, gate in zip(
                    theta["gates.w"][0], theta["gates.b"][0], past[name], strict=True
                )
            ]
            forget, take = past[name]
            moved = forget * weight - take * slope
            weights[name] = moved.detach().requires_grad_()


@pytest.mark.parametrize("hidden", HIDDEN)
def test_the_gradient_by_the_gates_is_a_finite_difference_after_one_step(
    hidden: int,
) -> None:
    """After one step no later gradient depends on the gates: first order is exact."""
    tasks, learner = sines(), MetaLstm(inner_lr=RATE, inner_steps=1, hidden=hidden)
    theta = start(learner, tasks)
    grads = meta_gradient(learner, tasks, theta)
    draw = torch.Generator().manual_seed(4)
    own = [name for name in theta if name not in tasks.layout.names]
    way = {n: torch.randn(theta[n].shape, generator=draw).double() for n in own}
    up, down = (
        meta_step(learner, tasks, theta | {n: theta[n] + s * way[n] for n in own}).info[
            "lesson_loss"
        ]
        for s in (1e-6, -1e-6)
    )
    slope = sum((grads[n] * way[n]).flatten(1).sum(1) for n in own)
    torch.testing.assert_close(slope, (up - down) / 2e-6, rtol=1e-5, atol=1e-7)
    assert (grads["gates.w"] != 0).any()


def test_it_keeps_to_the_ways_of_its_head() -> None:
    weights = start(MetaLstm(), classes(ways=3))
    assert "3 ways" in (MetaLstm().why_not(Meta(weights, {}), classes(ways=2)) or "")
