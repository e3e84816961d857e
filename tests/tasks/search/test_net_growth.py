"""Net2Net: a net that grew answers as before, and its copies part in training."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine.protocol import Weights
from engine.tasks.search._net_growth import deepen, extract_net, pad_net, widen
from engine.tasks.search._padded_mlp import (
    PaddedNets,
    PaddedShape,
    forward,
    gradient,
    make_gates,
)


def drawn(widths: tuple[int, ...], seed: int) -> Weights:
    draw = np.random.default_rng(seed)
    net: Weights = {}
    sizes = (3, *widths, 2)
    for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        net[f"w{i}"] = torch.from_numpy(draw.standard_normal((fan_out, fan_in)))
        net[f"b{i}"] = torch.from_numpy(draw.standard_normal(fan_out))
    return net


def said(net: Weights, x: Tensor) -> Tensor:
    layers = len(net) // 2
    for i in range(layers):
        x = x @ net[f"w{i}"].T + net[f"b{i}"]
        x = x.relu() if i < layers - 1 else x
    return x


POINTS = torch.from_numpy(np.random.default_rng(0).standard_normal((50, 3)) * 3)
WIDTHS = st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple)


@settings(max_examples=60)
@given(WIDTHS, st.integers(0, 99), st.integers(1, 8))
def test_a_wider_net_answers_as_before(
    widths: tuple[int, ...], seed: int, more: int
) -> None:
    net = drawn(widths, seed)
    for layer, units in enumerate(widths):
        uniform = np.random.default_rng(seed).random((more, 2))
        wide = widen(net, layer, uniform)
        assert wide[f"w{layer}"].shape[0] == units + more
        torch.testing.assert_close(
            said(wide, POINTS), said(net, POINTS), rtol=0, atol=1e-6
        )


@settings(max_examples=30)
@given(WIDTHS, st.integers(0, 99))
def test_a_deeper_net_answers_exactly_as_before(
    widths: tuple[int, ...], seed: int
) -> None:
    net = drawn(widths, seed)
    deep = deepen(net)
    assert len(deep) == len(net) + 2
    torch.testing.assert_close(said(deep, POINTS), said(net, POINTS), rtol=0, atol=0)


def test_growth_leaves_the_old_net_as_it_was() -> None:
    net = drawn((3, 2), 1)
    before = {name: each.clone() for name, each in net.items()}
    widen(net, 0, np.random.default_rng(0).random((3, 2)))
    deepen(net)
    for name, each in before.items():
        assert torch.equal(net[name], each)


def test_a_net_survives_being_padded() -> None:
    frame, net = PaddedShape(3, 2, 4, 7), drawn((5, 3), 2)
    flat = pad_net(net, frame)
    back = extract_net(flat, frame, (5, 3))
    assert back.keys() == net.keys()
    assert all(torch.equal(back[name], net[name]) for name in net)
    nets = PaddedNets(
        frame, flat[None], *make_gates(frame, [(5, 3)], [False]), (("relu", 1),)
    )
    found, _, _ = forward(nets, POINTS.T[None])
    torch.testing.assert_close(found[0].T, said(net, POINTS))


@pytest.mark.parametrize("even", [True, False])
def test_copies_part_only_if_outgoing_weights_are_divided_unevenly(even: bool) -> None:
    frame, net = PaddedShape(3, 2, 1, 2), drawn((1,), 5)
    net["w0"], net["b0"] = net["w0"].abs(), net["b0"].abs() + 9  # a unit that fires
    share = 0.5 if even else 0.9
    wide = widen(net, 0, np.array([[0.0, share]]))
    flat = pad_net(wide, frame)[None]
    nets = PaddedNets(frame, flat, *make_gates(frame, [(2,)], [False]), (("relu", 1),))
    y = torch.arange(50)[None] % 2
    slopes = frame.views(gradient(nets, POINTS.T[None], y))["w0"][0]
    assert torch.allclose(slopes[0], slopes[1]) == even
