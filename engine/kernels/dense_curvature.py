"""Products of a dense net's Hessian and a vector, one member after the other.

Source: Pearlmutter (1994), "Fast exact multiplication by the Hessian": every step of
forward and backward pass is differentiated along the vector.
"""

import numpy as np
from numba import njit

from engine.kernels import dense_layers
from engine.kernels.compiler import FAST
from engine.kernels.dense_kernels import compile_kernel
from engine.kernels.dense_layers import (
    activate,
    add_bend,
    bias_gradient,
    multiply_slope,
)
from engine.kernels.dense_losses import (
    cross_entropy,
    move_cross_entropy,
    move_squared_error,
    squared_error,
)

# Called, not inlined: each is needed several times, and would be compiled as often.
called = njit(
    fastmath=FAST, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)
add_products = called(dense_layers.add_products.py_func)
add_weight_gradient = called(dense_layers.add_weight_gradient.py_func)
affine = called(dense_layers.affine.py_func)
input_gradient = called(dense_layers.input_gradient.py_func)


@compile_kernel("float32[:,::1], float32[:,::1], float32[:,::1]")
def multiply_hessian(
    weights: np.ndarray,
    x: np.ndarray,
    labels: np.ndarray,
    values: np.ndarray,
    sizes: np.ndarray,
    activation: int,
    vectors: np.ndarray,
    rows: np.ndarray,
    product: np.ndarray,
) -> None:
    """Multiply the Hessian of every member's loss by a vector.

    Args:
        weights: As in `evaluate`, and so are the arguments up to `activation`.
        x: See there.
        labels: See there.
        values: See there.
        sizes: See there.
        activation: See there.
        vectors: Float32, shape (member, weight).
        rows: Zeros to work in; shape (2 × units of all layers + 4 × widest + 3,
            column), with at least one column per example.
        product: Zeros, written; shape (member, weight).
    """
    layers = len(sizes) - 1
    units = 0
    widest = 0
    for size in sizes:
        units += size
        widest = max(widest, size)
    outputs = sizes[layers]
    spare = 2 * units + 4 * widest
    sums = spare + 2
    for m in range(weights.shape[0]):
        w = weights[m]
        v = vectors[m]
        g = product[m]
        for i in range(sizes[0]):
            for e in range(x.shape[2]):
                rows[i, e] = x[m, i, e]
        lo = 0
        at = 0
        for k in range(layers):
            fan_in = sizes[k]
            fan_out = sizes[k + 1]
            to = lo + fan_in
            # Values, and `units` rows after them their changes: V h + W ḣ + v.
            affine(w, at, rows, lo, to, fan_in, fan_out, spare)
            affine(v, at, rows, lo, units + to, fan_in, fan_out, spare)
            if k:
                add_products(
                    w,
                    at,
                    fan_in,
                    1,
                    rows,
                    units + lo,
                    fan_in,
                    units + to,
                    fan_out,
                    spare,
                )
            if k < layers - 1:
                activate(activation, rows, to, to + fan_out)
                multiply_slope(activation, rows, units + to, to, fan_out)
            lo = to
            at += fan_out * (fan_in + 1)
        # δ, and `widest` rows after it its change.
        back = 2 * units
        other = back + 2 * widest
        moved = units + lo
        if len(labels):
            cross_entropy(rows, lo, outputs, back, sums - 1, labels[m])
            move_cross_entropy(
                rows, moved, outputs, back, back + widest, sums, labels[m]
            )
        else:
            squared_error(rows, lo, outputs, back, values[m])
            move_squared_error(rows, moved, outputs, back + widest, len(values[m]))
        for k in range(layers - 1, -1, -1):
            fan_in = sizes[k]
            fan_out = sizes[k + 1]
            lo -= fan_in
            at -= fan_out * (fan_in + 1)
            bias_gradient(g, at + fan_out * fan_in, rows, back + widest, fan_out)
            add_weight_gradient(g, at, rows, back + widest, lo, fan_in, fan_out)
            if k:
                add_weight_gradient(g, at, rows, back, units + lo, fan_in, fan_out)
                input_gradient(w, at, rows, back, other, fan_in, fan_out, spare)
                input_gradient(
                    v, at, rows, back, other + widest, fan_in, fan_out, spare
                )
                add_products(
                    w,
                    at,
                    1,
                    fan_in,
                    rows,
                    back + widest,
                    fan_out,
                    other + widest,
                    fan_in,
                    spare,
                )
                multiply_slope(activation, rows, other + widest, lo, fan_in)
                add_bend(
                    activation, rows, other + widest, other, lo, units + lo, fan_in
                )
                multiply_slope(activation, rows, other, lo, fan_in)
                back = other
                other = 4 * units + 2 * widest - back
