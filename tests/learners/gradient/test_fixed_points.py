"""Quadratic tasks, whose best start is known in closed form for each learner."""

from dataclasses import replace
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from engine.learners.gradient.fomaml import Fomaml
from engine.learners.gradient.imaml import Imaml
from engine.learners.gradient.maml import Maml
from engine.learners.gradient.reptile import Reptile
from engine.protocol import EpisodeBatch, Learner, Weights
from tests.learners.gradient.made import (
    DOUBLE,
    bowls,
    curvatures,
    joined,
    meta_gradient,
    meta_step,
    sines,
    start,
)

RATE, STEPS, PULL = 0.05, 4, 5.0
UNIT = torch.eye(4, dtype=DOUBLE)


class Best(NamedTuple):
    """A learner, and A and B of its best start (Σ A)⁻¹ Σ B c."""

    learner: Learner
    matrix: Tensor


def shrinking(a: Tensor, steps: int = STEPS) -> Tensor:
    """Return (I − αA)^k."""
    return torch.linalg.matrix_power(UNIT - RATE * a, steps)


def as_weights(phi: Tensor) -> Weights:
    return {"w0": phi[:3].view(1, 1, 3), "b0": phi[3:].view(1, 1)}


def best(matrix: Tensor, c: Tensor) -> Weights:
    """Return (Σ M)⁻¹ Σ M c."""
    return as_weights(torch.linalg.solve(matrix.sum(0), (matrix @ c).sum(0))[:, 0])


def steepness(learner: Learner, tasks: EpisodeBatch, at: Weights) -> float:
    return float(joined(meta_gradient(learner, tasks, at), tasks).abs().max())


def test_each_learner_rests_at_its_own_best_start_and_at_no_other() -> None:
    tasks = bowls()
    a, c = curvatures(tasks)
    j = shrinking(a)
    rests = {
        "maml": Best(Maml(inner_lr=RATE, inner_steps=STEPS), j @ a @ j),
        "fomaml": Best(Fomaml(inner_lr=RATE, inner_steps=STEPS), a @ j),
        "reptile": Best(Reptile(inner_lr=RATE, inner_steps=STEPS, batch=0), UNIT - j),
        "joint": Best(Maml(inner_lr=RATE, inner_steps=0), a),
    }
    for name, (learner, matrix) in rests.items():
        assert steepness(learner, tasks, best(matrix, c)) < 1e-10, name
        for other in rests.keys() - {name}:
            away = steepness(learner, tasks, best(rests[other].matrix, c))
            assert away > 1e-4, (name, other)


def test_imaml_rests_at_its_own_best_start() -> None:
    tasks = bowls()
    a, c = curvatures(tasks)
    steep = torch.linalg.eigvalsh(a)
    rate = 2 / float(steep.max() + steep.min() + 2 * PULL)
    learner = Imaml(inner_lr=rate, inner_steps=64, pull=PULL, damping=0.0, cg_steps=8)
    s = torch.linalg.inv(UNIT + a / PULL)
    assert steepness(learner, tasks, best(s @ a @ s, c)) < 1e-10
    assert steepness(learner, tasks, best(a, c)) > 1e-4


@pytest.mark.parametrize("steps", [1, 5])
def test_the_gradient_of_maml_on_a_quadratic_is_exact(steps: int) -> None:
    """∇ = mean of J A J (θ − c)."""
    tasks = bowls()
    a, c = curvatures(tasks)
    learner = Maml(inner_lr=RATE, inner_steps=steps)
    theta = start(learner, tasks)
    phi = torch.cat([theta["w0"].flatten(), theta["b0"].flatten()]).view(4, 1)
    j = shrinking(a, steps)
    want = (j @ a @ j @ (phi - c)).mean(0).view(1, 4)
    found = joined(meta_gradient(learner, tasks, theta), tasks)
    torch.testing.assert_close(found, want, rtol=0, atol=1e-12)


def test_two_steps_of_reptile_are_the_gradients_before_and_after_one() -> None:
    tasks = same_twice(sines())
    reptile = Reptile(inner_lr=RATE, inner_steps=2, batch=0)
    theta = start(reptile, tasks)
    before, after = (
        joined(meta_gradient(Fomaml(inner_lr=RATE, inner_steps=k), tasks, theta), tasks)
        for k in (0, 1)
    )
    moved = joined(meta_gradient(reptile, tasks, theta), tasks)
    torch.testing.assert_close(moved / RATE, before + after, rtol=0, atol=1e-12)


def test_at_a_small_rate_maml_turns_twice_as_far_as_fomaml() -> None:
    """E[g_MAML] = ḡ − 2α(k − 1) ḡ' + …, E[g_FOMAML] = ḡ − α(k − 1) ḡ' + …."""
    tasks, rate = same_twice(sines()), 1e-5
    theta = start(Maml(), tasks)
    plain, first, second = (
        joined(meta_gradient(learner, tasks, theta), tasks)
        for learner in (
            Maml(inner_steps=0),
            Fomaml(inner_lr=rate),
            Maml(inner_lr=rate),
        )
    )
    turn, half = second - plain, first - plain
    assert (turn - 2 * half).norm() < 1e-3 * turn.norm()


def test_the_gradient_after_a_step_serves_adaptation_best_the_one_before_worst() -> (
    None
):
    """Starts that g₁, g₁ + g₂ and g₂ lead to, by the loss that one step leaves."""
    tasks = bowls()
    a, c = curvatures(tasks)
    j = shrinking(a, 1)
    found = {}
    for name, learner, matrix in (
        ("g1", Reptile(inner_lr=RATE, inner_steps=1, batch=0), a),
        ("g1+g2", Reptile(inner_lr=RATE, inner_steps=2, batch=0), a + a @ j),
        ("g2", Fomaml(inner_lr=RATE, inner_steps=1), a @ j),
    ):
        point = best(matrix, c)
        assert steepness(learner, tasks, point) < 1e-10, name
        outer = meta_step(Maml(inner_lr=RATE), tasks, point)
        found[name] = float(outer.info["lesson_loss"])
    assert found["g2"] < found["g1+g2"] < found["g1"]


def same_twice(tasks: EpisodeBatch) -> EpisodeBatch:
    """Return episodes whose queries are their support."""
    again = tasks.support.map(lambda tensor: tensor.clone())
    return replace(tasks, query=again)
