"""The rate that descends: closed forms, a bowl, and independence of scale."""

import pytest
import torch

from engine.contract.rng import Rng
from engine.learners.baseline.hypergradient import Hypergradient
from engine.learners.baseline.sgd import Sgd
from engine.protocol import Learner, Meta, OptimizationBatch, Weights
from engine.protocol.member_chunks import join_segments
from tests.learners.bowls import Bowls, Draw, random_bowls

DOUBLE = torch.float64


def ravine(horizon: int = 100) -> Bowls:
    """Return the deterministic bowl diag(1 … 10), from ones."""
    curve = torch.diag(torch.arange(1, 11, dtype=DOUBLE))[None]
    zero = torch.zeros(1, 10, dtype=DOUBLE)
    return Bowls(curve, zero, zero + 1, horizon)


def run(learner: Learner, tasks: OptimizationBatch, rate: float) -> Weights:
    meta = Meta({"lr": torch.full((1,), rate, dtype=DOUBLE)}, {})
    return join_segments(list(learner.adapt(meta, tasks, path=True))).traces


@pytest.mark.parametrize("beta", [1e-5, 1e-4])
def test_from_rate_zero_the_additive_form_finds_a_useful_rate(beta: float) -> None:
    learner = Hypergradient(form="additive", beta=beta)
    traces = run(learner, ravine(), 0.0)
    assert traces["lr_scale"][0, -1] > 0
    plain = run(Sgd(), ravine(), 1e-3)["loss"][0, -1]
    assert traces["loss"][0, -1] < 0.1 * plain


def test_the_additive_rate_is_the_sum_of_gradient_products() -> None:
    tasks, beta, rate = random_bowls(2), 1e-3, 0.02
    learner = Hypergradient(form="additive", beta=beta)
    meta = Meta({"lr": torch.full((1,), rate, dtype=DOUBLE)}, {})
    path = join_segments(list(learner.adapt(meta, tasks, path=True))).path
    assert path is not None
    grads = [tasks.gradient(path[:, t], t).grad for t in range(50)]
    rates = torch.full((2, 1), rate, dtype=DOUBLE)
    for t in range(50):
        if t:
            rates = rates + beta * (grads[t] * grads[t - 1]).sum(1, keepdim=True)
        moved = path[:, t] - rates * grads[t]
        assert (path[:, t + 1] - moved).abs().max() < 1e-12
    assert (rates - rate).abs().min() > 1e-3


@pytest.mark.parametrize("direction", ["sgd", "nesterov", "adam"])
def test_the_multiplicative_rates_do_not_depend_on_the_losss_scale(
    direction: str,
) -> None:
    tasks = random_bowls(2, horizon=12)
    big = Bowls(tasks.curve * 1e3, tasks.center, tasks.first, tasks.horizon)
    learner = Hypergradient(direction=direction, beta=0.1)
    power = 1.0 if direction == "adam" else 1e3  # Adam's steps have no scale either
    small, large = run(learner, tasks, 0.05), run(learner, big, 0.05 / power)
    assert (small["lr_scale"] - large["lr_scale"]).abs().max() < 1e-6
    assert small["lr_scale"].std() > 0.01


@pytest.mark.parametrize("direction", ["sgd", "nesterov", "adam"])
def test_a_rate_ten_times_too_small_is_raised(direction: str, draw: Draw) -> None:
    tasks = draw(tasks=6, horizon=40)
    rate = 0.003 if direction == "adam" else 0.02
    moving = run(Hypergradient(direction=direction), tasks, rate)
    still = run(Hypergradient(direction=direction, beta=1e-10), tasks, rate)
    assert moving["lr_scale"][:, -1].min() > 1
    assert moving["loss"][:, -1].mean() < still["loss"][:, -1].mean()


def test_hardly_moving_rates_are_plain_sgd() -> None:
    tasks = random_bowls(2)
    moving = run(Hypergradient(beta=1e-10), tasks, 0.05)
    assert (moving["loss"] - run(Sgd(), tasks, 0.05)["loss"]).abs().max() < 1e-7


def test_a_schedule_multiplies_the_moving_rate() -> None:
    tasks = random_bowls(1)
    learner = Hypergradient(beta=1e-10, schedule="cosine").init([Rng(0)], tasks)
    traces = join_segments(
        list(Hypergradient(beta=1e-10, schedule="cosine").adapt(learner, tasks))
    ).traces
    assert traces["lr_scale"][0, 25] == pytest.approx(0.5)
