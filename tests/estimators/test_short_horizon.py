"""Short-horizon bias: what a greedy window learns, and what a whole run would.

Source: Wu et al. (2018), arXiv:1803.02021.
"""

import pytest
import torch
from torch import Tensor

from engine.estimators.unroll import Unroll
from engine.outers.adam import Adam
from engine.protocol import Meta, Weights
from tests.estimators.worlds import DOUBLE, NoisyBowl, lesson_of

ILL = torch.logspace(0, -2, 20, dtype=DOUBLE)
ROUND = torch.ones(20, dtype=DOUBLE)


def greedy(world: NoisyBowl) -> tuple[float, list[float]]:
    """Return the loss of the rate that is best for each next step, and those rates."""
    m, h, rates = world.begin(1)["m"], world.curvature, []
    for _ in range(world.horizon):
        best = (h**2 * m).sum() / (h**3 * (m + 1)).sum()
        rates.append(min(best.item(), 1.9))
        m = world.moved(m, torch.tensor([rates[-1]], dtype=DOUBLE))
    return world.loss(m).item(), rates


def fixed(world: NoisyBowl) -> float:
    """Return the loss of the best constant rate, from a fine grid."""
    grid = torch.linspace(0.002, 1.9, 950, dtype=DOUBLE)
    m = torch.full((950, len(world.curvature)), 10.0, dtype=DOUBLE)
    for _ in range(world.horizon):
        m = world.moved(m, grid)
    return world.loss(m).min().item()


def learned(world: NoisyBowl, window: int, updates: int) -> tuple[float, Tensor]:
    """Let our unroll learn every step's rate; return the loss at the end."""
    estimator, outer = Unroll(length=window, equal=False), Adam(lr=0.1, clip=0.0)
    rates = torch.full((1, world.horizon), -2.0, dtype=DOUBLE)
    weights: Weights = {"rate": rates}
    state, memory = outer.start(weights), {}
    segments = world.horizon // window
    for _ in range(updates):
        total = torch.zeros_like(rates)
        for step in range(segments):
            step_context = lesson_of(world, step, segments)
            found = estimator.estimate(Meta(weights, memory), world, step_context)
            assert found.grads is not None
            total, memory = total + window * found.grads["rate"], found.memory
        weights, state = outer.step(weights, {"rate": total}, state)
    m = world.begin(1)["m"]
    found_rates = 1.9 * weights["rate"][0].sigmoid()
    for rate in found_rates:
        m = world.moved(m, rate[None])
    return world.loss(m).item(), found_rates


@pytest.mark.parametrize(
    ("horizon", "short", "constant"), [(20, 1.209, 1.174), (100, 0.571, 0.418)]
)
def test_the_recursion_gives_the_known_losses(
    horizon: int, short: float, constant: float
) -> None:
    world = NoisyBowl(ILL, horizon)
    assert greedy(world)[0] == pytest.approx(short, abs=1e-3)
    assert fixed(world) == pytest.approx(constant, abs=1e-3)


def test_a_window_of_one_step_learns_greedy_rates_and_a_whole_run_the_best() -> None:
    world = NoisyBowl(ILL, 20)
    loss, rates = greedy(world)
    short, found = learned(world, 1, 150)
    whole, better = learned(world, 20, 400)
    assert short == pytest.approx(loss, rel=0.01)
    torch.testing.assert_close(found, torch.tensor(rates).to(found), rtol=0.03, atol=0)
    assert whole == pytest.approx(0.487, abs=0.01)
    assert better.mean() > 2 * found.mean()


def test_where_all_directions_are_alike_greedy_is_best() -> None:
    world = NoisyBowl(ROUND, 20)
    whole, _ = learned(world, 20, 150)
    assert greedy(world)[0] / whole == pytest.approx(1.0, abs=0.005)
