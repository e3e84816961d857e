"""Loss, accuracy and gradient of dense nets, one member after the other."""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types

from engine.kernels.compiler import FAST, cache_folder
from engine.kernels.dense_layers import (
    F32,
    LINEAR,
    RELU,
    add_weight_gradient,
    bias_gradient,
    dense_layer,
    inlined,
    input_gradient,
)
from engine.kernels.dense_losses import (
    cross_entropy,
    share_of_right_answers,
    squared_error,
    write_targets,
)
from engine.kernels.lanes import LANES


class Net(NamedTuple):
    """A dense net.

    Args:
        sizes: Units of each layer, from the inputs to the outputs.
        activation: RELU, TANH or SIGMOID.
        classes: Whether its outputs are scores of classes; else the first one is a
            value.
    """

    sizes: np.ndarray
    activation: int
    classes: bool


ROWS, _MEMBERS = types.float32[:, ::1], types.float32[::1]
NET = types.NamedTuple((types.int64[::1], types.int64, types.boolean), Net)
INPUTS, TARGETS = types.float32[:, :, ::1], types.float32[:, ::1]
# Called, not inlined: each is needed several times, and would be compiled as often.
called = njit(
    fastmath=FAST, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)


def compile_kernel(*arguments: types.Type) -> Any:
    """Compile a function that writes its results into arrays, for one type."""
    return njit(
        types.void(*arguments),
        fastmath=FAST,
        error_model="numpy",
        cache=cache_folder() is not None,
        no_cfunc_wrapper=True,
    )


@inlined
def write_examples(
    rows: np.ndarray, asked: int, x: np.ndarray, targets: np.ndarray
) -> None:
    """Write a member's inputs into the first rows, its targets into those asked."""
    for i in range(x.shape[0]):
        for e in range(x.shape[1]):
            rows[i, e] = x[i, e]
    write_targets(rows, asked, targets)


@njit(
    types.UniTuple(types.float32, 2)(
        types.float32[::1], NET, ROWS, types.boolean, types.float32[::1]
    ),
    cache=cache_folder() is not None,
    fastmath=FAST,
    error_model="numpy",
    no_cpython_wrapper=True,
    no_cfunc_wrapper=True,
)
def evaluate_member(
    w: np.ndarray, net: Net, rows: np.ndarray, accuracy: bool, g: np.ndarray
) -> tuple[float, float]:
    """Return one member's loss and accuracy, and write its gradient.

    Args:
        w: Float32, shape (weight,).
        net: The net.
        rows: Examples, as `write_examples` writes them, and memory to work in.
        accuracy: Whether it is asked for; otherwise it is 0.
        g: Written; shape (weight,), or empty to save the time.
    """
    sizes = net.sizes
    layers = len(sizes) - 1
    units = 0
    widest = 0
    for size in sizes:
        units += size
        widest = max(widest, size)
    outputs = sizes[layers]
    asked = units + 2 * widest
    lo = 0
    at = 0
    for k in range(layers):
        a = net.activation if k < layers - 1 else LINEAR
        dense_layer(w, at, rows, lo, lo + sizes[k], sizes[k], sizes[k + 1], a)
        lo += sizes[k]
        at += sizes[k + 1] * (sizes[k] + 1)
    back = units
    other = units + widest
    right = F32(0.0)
    if net.classes:
        loss = cross_entropy(rows, lo, outputs, back, asked)
        if accuracy:
            right = share_of_right_answers(rows, lo, outputs, asked)
    else:
        loss = squared_error(rows, lo, outputs, back, asked)
    if len(g):
        for i in range(len(g)):
            g[i] = F32(0.0)
        for k in range(layers - 1, -1, -1):
            fan_in = sizes[k]
            fan_out = sizes[k + 1]
            lo -= fan_in
            at -= fan_out * (fan_in + 1)
            bias_gradient(g, at + fan_out * fan_in, rows, back, fan_out)
            add_weight_gradient(g, at, rows, back, lo, fan_in, fan_out)
            if k:
                a = net.activation
                input_gradient(w, at, rows, back, other, fan_in, fan_out, a, lo)
                # The two change places: the next layer reads what was written.
                back = other
                other = 2 * units + widest - back
    return loss, right


@compile_kernel(ROWS, INPUTS, TARGETS, NET, ROWS, _MEMBERS, _MEMBERS, ROWS)
def evaluate(
    weights: np.ndarray,
    x: np.ndarray,
    targets: np.ndarray,
    net: Net,
    rows: np.ndarray,
    loss: np.ndarray,
    accuracy: np.ndarray,
    grad: np.ndarray,
) -> None:
    """Compute loss, accuracy and gradient of every member.

    Args:
        weights: Float32, shape (member, weight).
        x: Inputs; shape (member, feature, example).
        targets: Classes or regression targets, both as float32; (member, example).
        net: The net.
        rows: Zeros to work in; shape (units of all layers + 2 × widest + 2, column),
            with at least one column per example, in whole lanes.
        loss: Written; shape (member,).
        accuracy: Written, for classes; shape (member,), or none to save the time.
        grad: Written; shape (member, weight), or no rows to save the time.
    """
    nothing = np.empty(0, F32)
    for m in range(weights.shape[0]):
        write_examples(rows, rows.shape[0] - 2, x[m], targets[m])
        g = grad[m] if len(grad) else nothing
        loss[m], right = evaluate_member(weights[m], net, rows, len(accuracy) > 0, g)
        if len(accuracy):
            accuracy[m] = right


def check() -> None:
    """Evaluate a net whose result is known.

    Raises:
        ArithmeticError: If the compiled code gives another result.
    """
    rows = np.zeros((9, LANES), F32)
    loss, accuracy, grad = np.empty(1, F32), np.empty(1, F32), np.empty((1, 4), F32)
    x, targets = np.ones((1, 1, 1), F32), np.zeros((1, 1), F32)
    weights, net = np.zeros((1, 4), F32), Net(np.array([1, 2]), RELU, True)
    evaluate(weights, x, targets, net, rows, loss, accuracy, grad)
    # Two equal logits: ln 2, the first class is right, p − one-hot is ∓ 1/2.
    known = [math.log(2.0), 1.0, -0.5, 0.5, -0.5, 0.5]
    if not np.allclose([*loss, *accuracy, *grad[0]], known, atol=1e-6):
        raise ArithmeticError("the compiled kernels compute wrong numbers")
