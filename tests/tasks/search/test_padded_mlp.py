"""Padded nets against plain ones: torch's own layers, autograd and optimizers."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.tasks.search._padded_mlp import (
    OptimizerRates,
    PaddedNets,
    PaddedShape,
    accuracy,
    forward,
    gradient,
    make_gates,
    train_nets,
)

FRAME = PaddedShape(features=3, classes=4, layers=3, width=6)
WIDTHS, SKIPS = [[4, 2], [6, 5, 3], [1], [2, 6]], [True, True, False, False]
RUNS = (("relu", 1), ("tanh", 2), ("sine", 1))
PLAIN = {"relu": torch.relu, "tanh": torch.tanh, "sine": torch.sin}


@pytest.fixture
def nets() -> PaddedNets:
    draw = np.random.default_rng(3)
    count = sum(int(np.prod(shape)) for shape in FRAME.shapes().values())
    flat = torch.from_numpy(0.5 * draw.standard_normal((4, count)))
    return PaddedNets(FRAME, flat, *make_gates(FRAME, WIDTHS, SKIPS), RUNS)


def rows(members: int, count: int = 9) -> tuple[Tensor, Tensor]:
    draw = np.random.default_rng(5)
    x = torch.from_numpy(draw.standard_normal((members, 3, count)))
    return x, torch.from_numpy(draw.integers(0, 4, (members, count)))


def plainly(nets: PaddedNets, member: int, x: Tensor) -> Tensor:
    """Answer without padding: row first, one net, only the layers it has."""
    weights = nets.frame.views(nets.flat)
    widths, skip = WIDTHS[member], SKIPS[member]
    names = [name for name, count in RUNS for _ in range(count)]
    h = x.T
    for layer, width in enumerate(widths):
        w = weights[f"w{layer}"][member, :width, : h.shape[1]]
        out = PLAIN[names[member]](h @ w.T + weights[f"b{layer}"][member, :width])
        if skip and layer:
            both = min(width, h.shape[1])
            out = torch.cat([out[:, :both] + h[:, :both], out[:, both:]], 1)
        h = out
    head = weights["w3"][member, :, : h.shape[1]]
    return (h @ head.T + weights["b3"][member]).T


def test_a_padded_net_answers_as_the_plain_one(nets: PaddedNets) -> None:
    x, _ = rows(4)
    found, _, _ = forward(nets, x)
    for member in range(4):
        torch.testing.assert_close(found[member], plainly(nets, member, x[member]))


def test_the_gradient_by_hand_is_autograds(nets: PaddedNets) -> None:
    x, y = rows(4)
    flat = nets.flat.clone().requires_grad_()
    watched = PaddedNets(FRAME, flat, nets.gates, nets.bypass, RUNS)
    loss = sum(
        nn.functional.cross_entropy(plainly(watched, m, x[m]).T, y[m]) for m in range(4)
    )
    assert isinstance(loss, Tensor)
    (auto,) = torch.autograd.grad(loss, flat)
    torch.testing.assert_close(gradient(nets, x, y), auto)


def test_training_is_that_of_torchs_optimizers(nets: PaddedNets) -> None:
    x, y = rows(4)
    picks = torch.from_numpy(np.random.default_rng(7).integers(0, 9, (6, 4, 5)))
    rate, decay = torch.tensor([[0.1], [0.05], [0.01], [0.02]]).double(), [0.0, 0.9]
    rates = OptimizerRates(rate, torch.tensor(decay).double()[:, None])
    found = train_nets(nets, x.mT, y, picks, rates).flat
    for m in range(4):
        flat = nets.flat.clone().requires_grad_()
        how = {"params": [flat], "lr": float(rate[m, 0])}
        rule = (
            torch.optim.SGD(**how, momentum=decay[m])
            if m < 2
            else torch.optim.Adam(**how)
        )
        for some in picks[:, m]:
            rule.zero_grad()
            watched = PaddedNets(FRAME, flat, nets.gates, nets.bypass, RUNS)
            out = plainly(watched, m, x[m][:, some])
            nn.functional.cross_entropy(out.T, y[m, some]).backward()
            nn.utils.clip_grad_norm_([flat], 4.0)
            rule.step()
        torch.testing.assert_close(found[m], flat[m].detach(), rtol=1e-5, atol=1e-7)


def test_answers_that_are_not_finite_have_no_accuracy(nets: PaddedNets) -> None:
    x, y = rows(4)
    nets.flat[1] = torch.nan
    found = accuracy(nets, x.mT, y)
    assert found.isnan().tolist() == [False, True, False, False]
    right = (plainly(nets, 0, x[0]).argmax(0) == y[0]).double().mean()
    assert found[0] == right
