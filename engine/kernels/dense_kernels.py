"""Loss, accuracy and gradient of dense nets, one member after the other."""

import math
from typing import Any

import numpy as np
from numba import njit

from engine.kernels.compiler import FAST, cache_folder
from engine.kernels.dense_layers import (
    F32,
    RELU,
    activate,
    add_weight_gradient,
    affine,
    bias_gradient,
    input_gradient,
    multiply_slope,
)
from engine.kernels.dense_losses import (
    cross_entropy,
    share_of_right_answers,
    squared_error,
)

# Numbers of one vector: inner loops run over a multiple of them.
LANES = 16
NET = "float32[:,::1], float32[:,:,:], int64[:,:], float32[:,:], int64[::1], int64"


def compile_kernel(outputs: str) -> Any:
    """Compile a function of a net and of some arrays that it writes, for one type."""
    return njit(
        f"void({NET}, {outputs})",
        fastmath=FAST,
        error_model="numpy",
        cache=cache_folder() is not None,
        no_cfunc_wrapper=True,
    )


@compile_kernel("float32[:,::1], float32[::1], float32[::1], float32[:,::1]")
def evaluate(
    weights: np.ndarray,
    x: np.ndarray,
    labels: np.ndarray,
    values: np.ndarray,
    sizes: np.ndarray,
    activation: int,
    rows: np.ndarray,
    loss: np.ndarray,
    accuracy: np.ndarray,
    grad: np.ndarray,
) -> None:
    """Compute loss, accuracy and gradient of every member.

    Args:
        weights: Float32, shape (member, weight).
        x: Inputs; shape (member, feature, example).
        labels: Classes, shape (member, example); no rows for regression.
        values: Regression targets, shape (member, example); no rows for classes.
        sizes: Units of each layer, from the inputs to the outputs.
        activation: RELU, TANH or SIGMOID.
        rows: Zeros to work in; shape (units of all layers + 2 × widest + 4, column),
            with at least one column per example.
        loss: Written; shape (member,).
        accuracy: Written, for classes; shape (member,), or none to save the time.
        grad: Zeros, written; shape (member, weight), or no rows to save the time.
    """
    layers = len(sizes) - 1
    units = 0
    widest = 0
    for size in sizes:
        units += size
        widest = max(widest, size)
    classes = sizes[layers]
    sums = units + 2 * widest
    spare = sums + 2
    for m in range(weights.shape[0]):
        w = weights[m]
        for i in range(sizes[0]):
            for e in range(x.shape[2]):
                rows[i, e] = x[m, i, e]
        lo = 0
        at = 0
        for k in range(layers):
            affine(w, at, rows, lo, lo + sizes[k], sizes[k], sizes[k + 1], spare)
            lo += sizes[k]
            at += sizes[k + 1] * (sizes[k] + 1)
            if k < layers - 1:
                activate(activation, rows, lo, lo + sizes[k + 1])
        back = units
        other = units + widest
        if len(labels):
            loss[m] = cross_entropy(rows, lo, classes, back, sums, labels[m])
            if len(accuracy):
                accuracy[m] = share_of_right_answers(rows, lo, classes, sums, labels[m])
        else:
            loss[m] = squared_error(rows, lo, classes, back, values[m])
        if len(grad):
            g = grad[m]
            for k in range(layers - 1, -1, -1):
                fan_in = sizes[k]
                fan_out = sizes[k + 1]
                lo -= fan_in
                at -= fan_out * (fan_in + 1)
                bias_gradient(g, at + fan_out * fan_in, rows, back, fan_out)
                add_weight_gradient(g, at, rows, back, lo, fan_in, fan_out)
                if k:
                    input_gradient(w, at, rows, back, other, fan_in, fan_out, spare)
                    multiply_slope(activation, rows, other, lo, fan_in)
                    # The two change places: the next layer reads what was written.
                    back = other
                    other = 2 * units + widest - back


def check() -> None:
    """Evaluate a net whose result is known.

    Raises:
        ArithmeticError: If the compiled code gives another result.
    """
    rows, none = np.zeros((11, LANES), F32), np.empty((0, 0), F32)
    loss, accuracy, grad = np.empty(1, F32), np.empty(1, F32), np.zeros((1, 4), F32)
    x, labels = np.ones((1, 1, 1), F32), np.zeros((1, 1), np.int64)
    weights, sizes = np.zeros((1, 4), F32), np.array([1, 2])
    evaluate(weights, x, labels, none, sizes, RELU, rows, loss, accuracy, grad)
    # Two equal logits: ln 2, the first class is right, p − one-hot is ∓ 1/2.
    known = [math.log(2.0), 1.0, -0.5, 0.5, -0.5, 0.5]
    if not np.allclose([*loss, *accuracy, *grad[0]], known, atol=1e-6):
        raise ArithmeticError("the compiled kernels compute wrong numbers")
