"""The compiled kernels against torch, the reference, over every net that they claim."""

import itertools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.contract.registry import parts
from engine.contract.rng import Rng
from engine.kernels import compiler
from engine.kernels.dense_loss import (
    ACTIVATIONS,
    DenseKernel,
    DenseLayers,
    find_kernel,
    torch_only,
)
from engine.nets.mlp import Mlp
from engine.protocol import BatchSpec, Net, Setting
from engine.tasks.optimization._supervised import SupervisedBatch
from engine.tasks.optimization.linear import Linear
from engine.tasks.optimization.mixtures import Mixtures

ROOT = Path(__file__).parents[2]
NETS = [
    (sizes, activation)
    for sizes in [(1, 1), (3, 4), (2, 5, 2), (2, 32, 2), (5, 7, 6, 1), (4, 3, 3, 3, 3)]
    for activation in ACTIVATIONS
]


def drawn(
    sizes: tuple[int, ...], classes: bool, members: int = 5, examples: int = 19
) -> tuple[Tensor, Tensor, Tensor]:
    """Return weights, inputs and targets."""
    draw = torch.Generator().manual_seed(len(sizes))
    total = sum(o * (i + 1) for i, o in itertools.pairwise(sizes))
    weights = torch.randn(members, total, generator=draw)
    x = torch.randn(members, sizes[0], examples, generator=draw)
    y = torch.randint(0, sizes[-1], (members, examples), generator=draw)
    return weights, x, y if classes else torch.randn(members, examples, generator=draw)


def kernel_of(sizes: tuple[int, ...], activation: str = "relu") -> DenseKernel:
    found = find_kernel(DenseLayers(sizes, activation), torch.zeros(1))
    assert found is not None
    return found


def reference(
    sizes: tuple[int, ...], activation: str, weights: Tensor, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    """Return loss and gradient by torch, in double precision."""
    net = Mlp(depth=len(sizes) - 2, width=sizes[1], activation=activation)
    leaf = weights.double().requires_grad_()
    h, at = x.double(), 0
    for k, (i, o) in enumerate(itertools.pairwise(sizes)):
        w = leaf[:, at : at + o * i].view(-1, o, i)
        h = w @ h + leaf[:, at + o * i : at + o * (i + 1), None]
        h = getattr(torch, net.activation)(h) if k < len(sizes) - 2 else h
        at += o * (i + 1)
    if y.is_floating_point():
        loss = (h[:, 0] - y.double()).square().mean(1)
    else:
        loss = torch.nn.functional.cross_entropy(h, y, reduction="none").mean(1)
    return loss.detach(), torch.autograd.grad(loss.sum(), leaf)[0]


@pytest.mark.parametrize(("sizes", "activation"), NETS)
@pytest.mark.parametrize("classes", [True, False])
def test_loss_and_gradient_are_those_of_torch(
    sizes: tuple[int, ...], activation: str, classes: bool
) -> None:
    data = drawn(sizes, classes)
    found = kernel_of(sizes, activation).evaluate(*data, grad=True)
    loss, grad = reference(sizes, activation, *data)
    torch.testing.assert_close(found.loss, loss.float(), rtol=3e-6, atol=1e-6)
    torch.testing.assert_close(found.grad, grad.float(), rtol=3e-6, atol=2e-6)


@pytest.mark.parametrize("batch_size", [0, 16])
@pytest.mark.parametrize("drift", [False, True])
def test_a_batch_gives_what_it_gives_without_kernels(
    batch_size: int, drift: bool
) -> None:
    tasks = batch(Mixtures(), Mlp(batch_size=batch_size, weight_decay=0.1, clip=1))
    if drift:
        later = tasks.data.map(lambda t: t.flip(0))
        tasks = replace(tasks, later=later, drift=(0.0, 1.0))
    for step in (0, 3):
        assert tasks._kernel is not None
        ours = tasks.gradient(tasks.start(), step), tasks.measure(tasks.start(), step)
        with torch_only():
            assert tasks._kernel is None
            theirs = (
                tasks.gradient(tasks.start(), step),
                tasks.measure(tasks.start(), step),
            )
        assert ours[1].keys() == theirs[1].keys()
        torch.testing.assert_close(ours, theirs, rtol=3e-6, atol=1e-6)


def batch(family: Mixtures | Linear, net: Mlp) -> SupervisedBatch:
    """Draw six tasks."""
    rngs = [Rng(0).child(i) for i in range(6)]
    tasks = family.draw(Setting(family, net, 8), rngs, "train", BatchSpec(2))
    assert isinstance(tasks, SupervisedBatch)
    return tasks


def test_a_member_does_not_depend_on_the_others() -> None:
    weights, x, y = drawn((2, 32, 2), True, members=9)
    kernel = kernel_of((2, 32, 2))
    together = kernel.evaluate(weights, x, y, grad=True, accuracy=True)
    for m in range(9):
        alone = kernel.evaluate(
            weights[m : m + 1], x[m : m + 1], y[m : m + 1], grad=True, accuracy=True
        )
        for one, many in zip(alone, together, strict=True):
            assert one is not None and many is not None
            assert torch.equal(one[0], many[m])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("wrong", [torch.nan, torch.inf, -torch.inf])
def test_a_member_that_diverged_is_not_mistaken_for_one_that_learns(
    activation: str, wrong: float
) -> None:
    weights, x, y = drawn((2, 5, 2), True, members=2)
    weights[0, -1] = wrong  # the bias of an output
    found = kernel_of((2, 5, 2), activation).evaluate(
        weights, x, y, grad=True, accuracy=True
    )
    theirs, _ = reference((2, 5, 2), activation, weights, x, y)
    assert torch.equal(found.loss.isfinite(), theirs.isfinite())
    assert found.grad is not None and found.accuracy is not None
    assert not found.loss[0].isfinite() and found.accuracy[0].isnan()
    assert found.grad[1].isfinite().all() and found.accuracy[1].isfinite()
    weights[0, 0] = torch.nan  # a weight of a hidden unit
    assert kernel_of((2, 5, 2), activation).evaluate(weights, x, y).loss[0].isnan()


def test_the_first_of_equal_scores_is_the_answer() -> None:
    labels = torch.tensor([[0, 1, 2, 0]])
    found = kernel_of((1, 3)).evaluate(
        torch.zeros(1, 6), torch.ones(1, 1, 4), labels, accuracy=True
    )
    assert found.accuracy is not None and found.accuracy.tolist() == [0.5]
    assert found.loss[0] == pytest.approx(np.log(3.0), rel=1e-6)


def test_large_logits_neither_overflow_nor_lose_the_loss() -> None:
    weights = torch.tensor([[500.0, -500.0, 0.0, 0.0]])
    labels = torch.tensor([[1, 0]])
    found = kernel_of((1, 2)).evaluate(weights, torch.ones(1, 1, 2), labels)
    assert found.loss.tolist() == [500.0]  # (1000 + 0) / 2


def lanewise(function: Any, numbers: Any) -> np.ndarray:
    """Apply a function of lanes to numbers; the last lanes are filled with ones."""
    from numba import njit

    from engine.kernels.lanes import LANES, load, store

    @njit(error_model="numpy")
    def apply(rows: np.ndarray) -> None:
        for e in range(0, rows.shape[1], LANES):
            store(rows, 0, e, function(load(rows, 0, e)))

    rows = np.ones((1, -(-len(numbers) // LANES) * LANES), np.float32)
    rows[0, : len(numbers)] = numbers
    apply(rows)
    return rows[0, : len(numbers)]


def test_functions_are_as_exact_as_said() -> None:
    functions = pytest.importorskip("engine.kernels.float_functions")
    x = np.linspace(-12, 12, 4001, dtype=np.float32)
    for ours, theirs, ulps, at in (
        (functions.exp, np.exp, 2, x),
        (functions.tanh, np.tanh, 4, x),
        (functions.log, np.log, 2, np.exp(x)),
    ):
        exact = theirs(at.astype(np.float64))
        gap = lanewise(ours, at) - exact
        size = np.spacing(np.abs(exact).astype(np.float32))
        assert np.abs(gap / size).max() <= ulps
        assert np.isnan(lanewise(ours, [np.nan])[0])
    edges = lanewise(functions.exp, [-np.inf, -1e9, 1e9, np.inf])
    np.testing.assert_allclose(edges, np.exp([-87.0, -87, 88, 88]), rtol=2e-6)


def test_what_is_not_claimed_is_left_to_torch() -> None:
    one = torch.zeros(1)
    small = DenseLayers((2, 8, 2), "relu")
    assert find_kernel(small, one) is not None
    assert find_kernel(None, one) is None
    assert find_kernel(small, one.double()) is None
    assert find_kernel(small, torch.zeros(1, device="meta")) is None
    assert find_kernel(replace(small, activation="gelu"), one) is None
    assert find_kernel(DenseLayers((2, 4096, 2), "relu"), one) is None


def test_a_net_claims_to_be_dense_layers_only_if_it_is() -> None:
    for net in parts("net"):
        assert issubclass(net, Net)
        assert net is Mlp or net.dense_layers is Net.dense_layers
    for kind in ("layer", "batch", "group", "support_batch"):
        net = Mlp(normalization=kind)
        assert net.dense_layers(net.layout((2,), 2)) is None
    assert Mlp().dense_layers(Mlp().layout((2,), 0)) is None  # no head
    assert Mlp(depth=0).dense_layers(Mlp(depth=0).layout((3,), 2)) == DenseLayers(
        (3, 2), "relu"
    )


def in_a_new_process(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_broken_numba_is_said_and_torch_computes() -> None:
    compiler.load_kernels.cache_clear()
    try:
        with mock.patch.dict(sys.modules, {"numba": None}):
            reason = compiler.load_kernels()
            assert isinstance(reason, str) and "numba" in reason
            tasks = batch(Linear(), Mlp())
            assert tasks._kernel is None
            assert tasks.gradient(tasks.start(), 0).loss.isfinite().all()
    finally:
        compiler.load_kernels.cache_clear()


def test_kernels_are_kept_outside_the_sources_or_nowhere(tmp_path: Path) -> None:
    code = "from engine.kernels.compiler import *; print(cache_folder())"
    (tmp_path / "file").touch()
    here, nowhere = str(tmp_path / "here"), str(tmp_path / "file" / "below")
    found = Path(in_a_new_process(code, NUMBA_CACHE_DIR=here))
    assert found.parent == Path(here) and found.is_dir()
    assert in_a_new_process(code, NUMBA_CACHE_DIR=nowhere) == "None"
    home = {"XDG_CACHE_HOME": str(tmp_path), "NUMBA_CACHE_DIR": ""}
    found = Path(in_a_new_process(code, **home))
    assert found.parent == tmp_path / "metascope" / "kernels"
