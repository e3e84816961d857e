"""What holds of every net, however it normalizes."""

import numpy as np
import pytest
import torch

from engine.algorithms.few_shot.inner_loop import adapt_weights
from engine.algorithms.few_shot.inner_rules import sgd
from engine.algorithms.few_shot.outer_gradient import outer_gradient
from engine.algorithms.initial_weights import draw_weights
from engine.contract.rng import Rng
from engine.protocol import EpisodeBatch, ExampleBatch, Meta, Net, Weights
from tests.nets.drawing import NETS, episodes, lost, members_of, started

EACH = pytest.mark.parametrize("net", NETS.values(), ids=NETS.keys())
BLIND = [name for name, net in NETS.items() if not name.endswith(" batch")]
BLIND = [n for n in BLIND if n not in ("conv4 stride", "resnet12 squeeze")]
SEEING = [name for name in NETS if name not in BLIND]


def moved(tasks: EpisodeBatch) -> Weights:
    """Adapt every member, so that all have weights of their own."""
    return adapt_weights(tasks, members_of(started(tasks), tasks), sgd(0.02), 2)


@EACH
def test_members_together_answer_as_each_alone(net: Net) -> None:
    tasks = episodes(net, tasks=3)
    weights = moved(tasks)
    together = tasks.answer(weights, tasks.query, 2)
    for i in range(3):
        one = tasks.take([i])
        own = {name: value[i : i + 1] for name, value in weights.items()}
        alone = one.answer(own, one.query, 2)
        torch.testing.assert_close(alone[0], together[i], rtol=1e-9, atol=1e-9)


@EACH
def test_members_together_have_the_meta_gradient_of_each_alone(net: Net) -> None:
    tasks = episodes(net)
    theta = Meta(started(tasks), {})
    together = outer_gradient(theta, tasks, lost).grads
    alone = [outer_gradient(theta, tasks.take([i]), lost).grads for i in range(2)]
    assert together is not None
    for name, grad in together.items():
        mean = torch.stack([one[name] for one in alone if one is not None]).mean(0)
        torch.testing.assert_close(grad, mean, rtol=1e-9, atol=1e-10)


@EACH
def test_the_meta_gradient_is_that_of_finite_differences(net: Net) -> None:
    tasks = episodes(net)
    theta = started(tasks)
    leaves = {name: value.clone().requires_grad_() for name, value in theta.items()}
    loss = lost(members_of(leaves, tasks), tasks).sum()
    found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
    grads = dict(zip(theta, found, strict=True))
    resting = {name for name, grad in grads.items() if grad is None}
    assert resting == set(tasks.layout.buffers)
    moving = {name: grad for name, grad in grads.items() if grad is not None}
    draw = torch.Generator().manual_seed(5)
    away = {
        name: torch.randn(grad.shape, generator=draw, dtype=grad.dtype)
        for name, grad in moving.items()
    }
    long = sum(float(part.square().sum()) for part in away.values()) ** 0.5
    steep = sum(float(grad.square().sum()) for grad in moving.values()) ** 0.5
    slope = sum(float((grad * away[n]).sum()) for n, grad in moving.items()) / long

    def at(eps: float) -> float:
        near = theta | {n: theta[n] + eps / long * part for n, part in away.items()}
        return float(lost(members_of(near, tasks), tasks).detach().sum())

    eps = 1e-7
    # What a random direction usually sees of the gradient is steep / long.
    close = pytest.approx(slope, rel=1e-4, abs=1e-4 * steep / long)
    assert (at(eps) - at(-eps)) / (2 * eps) == close


def queried(tasks: EpisodeBatch, weights: Weights, x: torch.Tensor) -> torch.Tensor:
    """Answer other queries than the drawn ones."""
    return tasks.answer(weights, ExampleBatch(x, tasks.query.y))


def changed_mates(net: Net) -> tuple[torch.Tensor, torch.Tensor]:
    """Answer a query beside two different sets of other queries."""
    tasks = episodes(net)
    weights = members_of(started(tasks), tasks)
    other = tasks.query.x.clone()
    other[..., 1:] = 2 * other[..., 1:].flip(-1) + 1
    one, two = (queried(tasks, weights, x) for x in (tasks.query.x, other))
    return one[..., 0], two[..., 0]


@pytest.mark.parametrize("name", SEEING)
def test_batch_statistics_leak_from_query_to_query(name: str) -> None:
    one, two = changed_mates(NETS[name])
    assert (one - two).abs().max() > 1e-3


@pytest.mark.parametrize("name", BLIND)
def test_without_them_an_answer_does_not_depend_on_other_queries(name: str) -> None:
    one, two = changed_mates(NETS[name])
    torch.testing.assert_close(one, two, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", [n for n in NETS if "support_batch" in n])
def test_a_query_is_normalized_by_its_support(name: str) -> None:
    tasks = episodes(NETS[name])
    weights = members_of(started(tasks), tasks)
    again = queried(tasks, weights, tasks.support.x.repeat(1, 1, 2))
    support = tasks.answer(weights, tasks.support)
    torch.testing.assert_close(again, support.repeat(1, 1, 2), rtol=1e-9, atol=1e-10)


@EACH
def test_the_head_reads_the_features_of_the_net_without_one(net: Net) -> None:
    tasks = episodes(net)
    weights = members_of(started(tasks), tasks)
    w, b = tasks.layout.layers[-1]
    body = {name: weights[name] for name in tasks.body.names}
    assert set(weights) - set(body) == {w, b}
    features = tasks.answer(body, tasks.query)
    answer = torch.einsum("mof,mfe->moe", weights[w], features) + weights[b][..., None]
    torch.testing.assert_close(answer, tasks.answer(weights, tasks.query))


@EACH
def test_signals_neither_vanish_nor_explode_at_the_start(net: Net) -> None:
    tasks = episodes(net, tasks=4, shots=4)
    body = draw_weights(net, tasks.body, [Rng(3)], tasks.support.x)
    size = tasks.answer(members_of(body, tasks), tasks.query).square().mean()
    assert 0.05 < size < 20


@EACH
def test_each_weight_belongs_to_one_layer_and_is_drawn(net: Net) -> None:
    layout = net.layout(episodes(net).shape, 3)
    assert layout.names == tuple(name for layer in layout.layers for name in layer)
    assert len(set(layout.names)) == len(layout.names)
    flat = net.init(layout, Rng(0))
    assert flat.dtype == np.float32
    assert flat.shape == (layout.total,)
    assert np.array_equal(flat, net.init(layout, Rng(0)))
    assert not np.array_equal(flat, net.init(layout, Rng(1)))


@pytest.mark.parametrize("name", [n for n in NETS if "meta_batch" in n])
def test_only_running_statistics_rest(name: str) -> None:
    layout = NETS[name].layout(episodes(NETS[name]).shape, 3)
    assert layout.buffers
    assert all(rest.startswith(("mean", "variance")) for rest in layout.buffers)
    assert len(layout.buffers) == 2 * sum(n.startswith("g") for n in layout.names)
