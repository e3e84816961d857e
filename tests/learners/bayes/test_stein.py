"""Stein variational gradient descent against its definition and a known posterior."""

import math

import pytest
import torch
from torch import Tensor

from engine.algorithms.few_shot.stein_gradient import (
    bandwidth,
    rbf_kernel,
    stein_descent,
)

DOUBLE = torch.float64


def points(count: int, members: int = 2) -> Tensor:
    draw = torch.Generator().manual_seed(count)
    return torch.randn(members, count, 4, generator=draw, dtype=DOUBLE)


def test_a_step_is_the_sum_over_all_pairs() -> None:
    rows, tau = points(5), torch.tensor([0.3, 2.0], dtype=DOUBLE)
    slopes = points(5) ** 3
    rule = stein_descent(0.1, 5, tau)
    flat = {"a": rows[..., :3].flatten(0, 1), "b": rows[..., 3:].flatten(0, 1)}
    grads = {"a": slopes[..., :3].flatten(0, 1), "b": slopes[..., 3:].flatten(0, 1)}
    found = rule(0, flat, grads)
    for member in range(2):
        phi = rows[member]
        pairs = [(phi[j] - phi[m]).square().sum() for j in range(5) for m in range(j)]
        width = torch.stack(pairs).median() / math.log(6)
        for m in range(5):
            total = torch.zeros(4, dtype=DOUBLE)
            for j in range(5):
                other = phi[j].clone().requires_grad_()
                kernel = torch.exp(-(other - phi[m]).square().sum() / width)
                (away,) = torch.autograd.grad(kernel, other)
                total += kernel.detach() * slopes[member, j] - tau[member] * away
            wanted = phi[m] - 0.1 * total / 5
            at = 5 * member + m
            mine = torch.cat([found["a"][at], found["b"][at]])
            torch.testing.assert_close(mine, wanted, rtol=0, atol=1e-12)


def test_fifty_particles_sample_a_normal_distribution() -> None:
    draw = torch.Generator().manual_seed(0)
    x = {"x": 3.0 * torch.randn(50, 1, generator=draw, dtype=DOUBLE) + 2.0}
    rule = stein_descent(0.5, 50, torch.ones(1, dtype=DOUBLE))
    for step in range(1500):
        x = rule(step, x, {"x": (x["x"] + 1.0) / 0.49})
    assert x["x"].mean().item() == pytest.approx(-1.0, abs=0.02)
    assert x["x"].std().item() == pytest.approx(0.7, rel=0.04)


def test_one_particle_and_particles_at_one_point_do_not_repel() -> None:
    for rows in (points(1), torch.ones(2, 3, 4, dtype=DOUBLE)):
        kernel, repulsion = rbf_kernel(rows)
        assert torch.equal(kernel, torch.ones_like(kernel))
        assert torch.equal(repulsion, torch.zeros_like(repulsion))


def test_far_from_the_origin_particles_repel_as_near_it() -> None:
    rows = points(4).float()
    near, far = rbf_kernel(rows)[1], rbf_kernel(rows + 100.0)[1]
    torch.testing.assert_close(far, near, rtol=1e-3, atol=1e-4)


def test_the_bandwidth_leaves_out_the_distance_to_itself() -> None:
    square = torch.tensor([[[0.0, 3.0], [3.0, 0.0]]])
    assert bandwidth(square).item() == pytest.approx(3.0 / math.log(3))
