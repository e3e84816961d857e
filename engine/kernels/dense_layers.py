"""Dense layers of one member: forward, backward, and the slopes of activations.

Rows of `rows` hold one unit each, its columns one example each, sixteen at a time.
Columns beyond the examples fill the last lanes; their gradients in the outputs are 0.
A member's weights lie layer by layer, each layer as W (out, in), row by row, then b.
"""

from typing import Any

import numpy as np
from numba import njit

from engine.kernels.compiler import FAST
from engine.kernels.float_functions import exp, tanh
from engine.kernels.lanes import (
    LANES,
    add_up,
    broadcast,
    load,
    splat,
    store,
    where_at_most,
)

F32 = np.float32
ZERO, ONE = F32(0.0), F32(1.0)
RELU, TANH, SIGMOID, LINEAR = 0, 1, 2, 3

# Inlined before types are inferred: that compiles in half the time.
inlined = njit(fastmath=FAST, error_model="numpy", inline="always")


@inlined
def logistic(x: Any) -> Any:
    """Return 1 / (1 + e⁻ˣ)."""
    return splat(ONE) / (splat(ONE) + exp(splat(ZERO) - x))


@inlined
def apply_activation(activation: int, x: Any) -> Any:
    """Apply an activation; comparisons let NaN pass."""
    if activation == RELU:
        x = where_at_most(x, splat(ZERO), splat(ZERO), x)
    elif activation == TANH:
        x = tanh(x)
    elif activation == SIGMOID:
        x = logistic(x)
    return x


@inlined
def apply_slope(activation: int, h: Any, d: Any) -> Any:
    """Return d times an activation's slope where its value is h."""
    if activation == RELU:
        d = where_at_most(h, splat(ZERO), splat(ZERO), d)
    elif activation == TANH:
        d = d * (splat(ONE) - h * h)
    elif activation == SIGMOID:
        d = d * (h * (splat(ONE) - h))
    return d


@inlined
def dense_layer(
    w: np.ndarray,
    at: int,
    rows: np.ndarray,
    lo: int,
    to: int,
    fan_in: int,
    fan_out: int,
    activation: int,
) -> None:
    """Write a(W h + b) into the rows from `to` on; those of h begin at `lo`."""
    biases = at + fan_out * fan_in
    # Two outputs at a time: half the loads. An odd last one is computed twice.
    for j in range(0, fan_out, 2):
        k = min(j + 1, fan_out - 1)
        for e in range(0, rows.shape[1], LANES):
            a = broadcast(w, biases + j)
            b = broadcast(w, biases + k)
            for i in range(fan_in):
                h = load(rows, lo + i, e)
                a = a + broadcast(w, at + j * fan_in + i) * h
                b = b + broadcast(w, at + k * fan_in + i) * h
            store(rows, to + j, e, apply_activation(activation, a))
            store(rows, to + k, e, apply_activation(activation, b))


@inlined
def input_gradient(
    w: np.ndarray,
    at: int,
    rows: np.ndarray,
    back: int,
    to: int,
    fan_in: int,
    fan_out: int,
    activation: int,
    lo: int,
) -> None:
    """Write Wᵀ δ into the rows from `to` on, times the slope of those from `lo` on."""
    for i in range(0, fan_in, 2):
        k = min(i + 1, fan_in - 1)
        for e in range(0, rows.shape[1], LANES):
            a = splat(ZERO)
            b = splat(ZERO)
            for j in range(fan_out):
                d = load(rows, back + j, e)
                a = a + broadcast(w, at + j * fan_in + i) * d
                b = b + broadcast(w, at + j * fan_in + k) * d
            a = apply_slope(activation, load(rows, lo + i, e), a)
            b = apply_slope(activation, load(rows, lo + k, e), b)
            store(rows, to + i, e, a)
            store(rows, to + k, e, b)


@inlined
def bias_gradient(
    grad: np.ndarray, at: int, rows: np.ndarray, back: int, fan_out: int
) -> None:
    """Write the sum of δ over the examples, from number `at` on."""
    for j in range(fan_out):
        total = splat(ZERO)
        for e in range(0, rows.shape[1], LANES):
            total = total + load(rows, back + j, e)
        grad[at + j] = add_up(total)


@inlined
def add_weight_gradient(
    grad: np.ndarray,
    at: int,
    rows: np.ndarray,
    back: int,
    lo: int,
    fan_in: int,
    fan_out: int,
) -> None:
    """Add δ hᵀ to what `grad` holds from number `at` on."""
    zero = splat(ZERO)
    for j in range(0, fan_out, 2):
        # An odd last one takes the place of the one that is lacking, too.
        j1 = min(j + 1, fan_out - 1)
        for i in range(0, fan_in, 2):
            i1 = min(i + 1, fan_in - 1)
            s00 = s01 = s10 = s11 = zero
            for e in range(0, rows.shape[1], LANES):
                d0 = load(rows, back + j, e)
                d1 = load(rows, back + j1, e)
                h0 = load(rows, lo + i, e)
                h1 = load(rows, lo + i1, e)
                s00 = s00 + d0 * h0
                s01 = s01 + d0 * h1
                s10 = s10 + d1 * h0
                s11 = s11 + d1 * h1
            # All are read before one is written: an odd last one is added once.
            t00 = grad[at + j * fan_in + i] + add_up(s00)
            t01 = grad[at + j * fan_in + i1] + add_up(s01)
            t10 = grad[at + j1 * fan_in + i] + add_up(s10)
            t11 = grad[at + j1 * fan_in + i1] + add_up(s11)
            grad[at + j * fan_in + i] = t00
            grad[at + j * fan_in + i1] = t01
            grad[at + j1 * fan_in + i] = t10
            grad[at + j1 * fan_in + i1] = t11
