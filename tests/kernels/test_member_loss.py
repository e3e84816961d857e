"""The compiled loss under autograd: first and second order, against torch."""

from unittest import mock

import pytest
import torch
from torch import Tensor

from engine.algorithms.few_shot.compiled_outer_gradients import trace_gradients
from engine.contract.rng import Rng
from engine.kernels import dense_loss
from engine.kernels.dense_loss import torch_only
from engine.kernels.member_loss import member_loss
from engine.learners.gradient.maml import Maml
from engine.nets.mlp import Mlp
from engine.protocol import EpisodeBatch, Meta, OuterStepContext
from tests.kernels.test_dense_kernels import NETS, drawn, kernel_of
from tests.nets.drawing import episodes


def plain_loss(
    sizes: tuple[int, ...], activation: str, weights: Tensor, x: Tensor, y: Tensor
) -> Tensor:
    """Return each member's loss by torch."""
    h, at = x, 0
    for k in range(len(sizes) - 1):
        i, o = sizes[k : k + 2]
        w = weights[:, at : at + o * i].view(-1, o, i)
        h = w @ h + weights[:, at + o * i : at + o * (i + 1), None]
        h = getattr(torch, activation)(h) if k < len(sizes) - 2 else h
        at += o * (i + 1)
    if y.is_floating_point():
        return (h[:, 0] - y).square().mean(1)
    return torch.nn.functional.cross_entropy(h, y, reduction="none").mean(1)


@pytest.mark.parametrize(("sizes", "activation"), NETS)
@pytest.mark.parametrize("classes", [True, False])
def test_the_hessian_is_that_of_torch(
    sizes: tuple[int, ...], activation: str, classes: bool
) -> None:
    weights, x, y = drawn(sizes, classes)
    weights = weights / 2  # sums of a few large numbers would hide an error
    vectors = torch.randn(weights.shape, generator=torch.Generator().manual_seed(1))
    found = kernel_of(sizes, activation).multiply_hessian(weights, x, y, vectors)
    leaf = weights.double().requires_grad_()
    targets = y if classes else y.double()
    loss = plain_loss(sizes, activation, leaf, x.double(), targets).sum()
    (slope,) = torch.autograd.grad(loss, leaf, create_graph=True)
    theirs = torch.autograd.grad((slope * vectors.double()).sum(), leaf)[0].float()
    scale = theirs.abs().max().clamp(min=1)
    torch.testing.assert_close(found / scale, theirs / scale, rtol=1e-5, atol=2e-6)


def test_a_gradient_through_two_steps_is_that_of_torch() -> None:
    sizes = (2, 5, 2)
    weights, x, y = drawn(sizes, True)

    def after_two_steps(loss_of: object, start: Tensor) -> Tensor:
        leaf, w = start, start
        for _ in range(2):
            loss = loss_of(w)  # type: ignore[operator]
            (slope,) = torch.autograd.grad(loss.sum(), w, create_graph=True)
            w = w - 0.3 * loss[:, None] * slope
        return torch.autograd.grad(loss_of(w).sum(), leaf)[0]  # type: ignore[operator]

    kernel = kernel_of(sizes, "tanh")
    ours = after_two_steps(
        lambda w: member_loss(kernel, (w,), x, y), weights.clone().requires_grad_()
    )
    theirs = after_two_steps(
        lambda w: plain_loss(sizes, "tanh", w, x, y), weights.clone().requires_grad_()
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_third_derivative_is_refused() -> None:
    weights, x, y = drawn((2, 5, 2), True)
    leaf = weights.requires_grad_()
    loss = member_loss(kernel_of((2, 5, 2)), (leaf,), x, y).sum()
    for _ in range(2):
        (slope,) = torch.autograd.grad(loss, leaf, create_graph=True)
        loss = slope.square().sum()
    with pytest.raises(NotImplementedError, match="two derivatives"):
        torch.autograd.grad(loss, leaf)


def outer(tasks: EpisodeBatch, learner: Maml) -> dict[str, Tensor]:
    """Return MAML's outer gradient."""
    meta: Meta = learner.init([Rng(0).child(r) for r in range(2)], tasks)
    context = OuterStepContext(0, 0, 1, (Rng(0), Rng(1)))
    grads = learner.outer(meta, tasks, context, None).grads  # type: ignore[arg-type]
    assert grads is not None
    return grads


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_maml_has_the_gradient_that_it_has_without_kernels(activation: str) -> None:
    net = Mlp(depth=2, width=8, activation=activation)
    tasks = episodes(net, replicates=2, dtype=torch.float32)
    learner = Maml(inner_steps=3)
    with mock.patch.object(
        dense_loss.DenseKernel, "evaluate", autospec=True, side_effect=counted
    ) as calls:
        ours = outer(tasks, learner)
    assert calls.call_count == 4  # three inner steps, and the queries
    with torch_only():
        theirs = outer(tasks, learner)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


counted = dense_loss.DenseKernel.evaluate


def test_a_traced_loss_is_left_to_torch() -> None:
    tasks = episodes(Mlp(depth=1, width=8), dtype=torch.float32)
    leaves = {n: torch.zeros(tasks.members, *s) for n, s in shapes(tasks)}

    def loss_and_grads(
        weights: dict[str, Tensor], some: EpisodeBatch
    ) -> tuple[Tensor, dict[str, Tensor]]:
        return some.loss(weights, some.support), {}

    shots = (tasks.support, tasks.query)
    given = [t for s in shots for t in (s.x, s.y, s.ids) if t is not None]
    graph, _ = trace_gradients(
        loss_and_grads, leaves, tasks, [*given, *leaves.values()]
    )
    assert "baddbmm" in graph.code


def shapes(tasks: EpisodeBatch) -> list[tuple[str, tuple[int, ...]]]:
    return list(zip(tasks.layout.names, tasks.layout.shapes, strict=True))
