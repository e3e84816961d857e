"""The dense net: its numbers on landscapes are its own, its normalizations shared."""

import numpy as np
import pytest
import torch

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.nets.mlp import Mlp
from engine.protocol import generator
from engine.runner.context import RunContext
from tests.laws.small import learner_spec
from tests.nets.drawing import episodes, members_of, started


def test_weights_are_drawn_layer_by_layer_from_one_stream() -> None:
    net = Mlp(depth=1, width=4)
    flat = net.init(net.layout((3,), 2), Rng(7))
    draw = generator(Rng(7))
    first = draw.standard_normal((4, 3)) * np.sqrt(2 / 3)
    last = draw.standard_normal((2, 4)) * np.sqrt(1 / 4)
    pieces = (first.ravel(), np.zeros(4), last.ravel(), np.zeros(2))
    assert np.array_equal(flat, np.concatenate(pieces).astype(np.float32))


@pytest.mark.parametrize("examples", [3, 40])
@pytest.mark.parametrize(("kind", "over"), [("batch", 2), ("layer", 1)])
def test_units_are_less_their_mean_over_their_deviation(
    kind: str, over: int, examples: int
) -> None:
    net = Mlp(depth=1, width=8, normalization=kind, activation="tanh")
    layout = net.layout((5,), 2)
    flat = np.stack([net.init(layout, Rng(seed)) for seed in range(2)])
    weights = layout.views(torch.from_numpy(flat).double())
    x = torch.randn(2, 5, examples, generator=torch.Generator().manual_seed(0)).double()
    h = weights["w0"] @ x + weights["b0"][..., None]
    deviation = (h.var(over, correction=0, keepdim=True) + 1e-5).sqrt()
    h = ((h - h.mean(over, keepdim=True)) / deviation).tanh()
    theirs = weights["w1"] @ h + weights["b1"][..., None]
    torch.testing.assert_close(net.apply(weights, x), theirs)


@pytest.mark.parametrize("examples", [1, 5, 20])
def test_a_landscape_of_few_examples_gets_the_very_products(examples: int) -> None:
    net = Mlp(depth=0)
    draw = torch.Generator().manual_seed(0)
    w, b = torch.randn(3, 4, 40, generator=draw), torch.randn(3, 4, generator=draw)
    x = torch.randn(3, 40, examples, generator=draw)
    theirs = torch.baddbmm(b[..., None], w, x)
    assert torch.equal(net.apply({"w0": w, "b0": b}, x), theirs)


@pytest.mark.parametrize("kind", ["none", "layer", "group", "meta_batch", "batch"])
def test_an_episode_of_few_examples_is_answered_as_it_is(kind: str) -> None:
    net = Mlp(depth=2, width=32, normalization=kind)
    tasks = episodes(net)
    theta = members_of(started(tasks), tasks)
    mine = tasks.answer(theta, tasks.query)
    assert mine.shape == (2, 3, tasks.query.count)
    torch.testing.assert_close(mine, net.apply(theta, tasks.query.x))


def test_statistics_by_inner_step_are_not_for_landscapes() -> None:
    net = {"name": "mlp", "knobs": {"normalization": "meta_batch"}}
    context = RunContext(learner_spec("sgd", net=net))
    with pytest.raises(Refused, match="few-shot") as found:
        context.draw(context.setting, "test", ("test", 0), 2)
    assert found.value.field == "net.knobs.normalization"
