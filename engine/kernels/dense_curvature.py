"""Products of a dense net's Hessian and a vector, one member after the other.

Source: Pearlmutter (1994), "Fast exact multiplication by the Hessian": every step of
forward and backward pass is differentiated along the vector.
"""

import numpy as np

from engine.kernels import dense_layers
from engine.kernels.dense_kernels import (
    INPUTS,
    NET,
    ROWS,
    TARGETS,
    Net,
    called,
    compile_kernel,
    write_examples,
)
from engine.kernels.dense_layers import (
    F32,
    LINEAR,
    ONE,
    RELU,
    TANH,
    ZERO,
    apply_slope,
    bias_gradient,
    inlined,
)
from engine.kernels.dense_losses import (
    cross_entropy,
    move_cross_entropy,
    move_squared_error,
    squared_error,
)
from engine.kernels.lanes import LANES, broadcast, load, splat, store

add_weight_gradient = called(dense_layers.add_weight_gradient.py_func)
dense_layer = called(dense_layers.dense_layer.py_func)
input_gradient = called(dense_layers.input_gradient.py_func)


@called
def add_products(
    w: np.ndarray,
    first: int,
    next_output: int,
    next_input: int,
    rows: np.ndarray,
    source: int,
    inputs: int,
    target: int,
    outputs: int,
) -> None:
    """Add Σᵢ wⱼᵢ · row (source + i) to each row target + j.

    Args:
        w: Weights; wⱼᵢ is number first + j · next_output + i · next_input.
        first: Number of w₀₀.
        next_output: See there.
        next_input: See there.
        rows: Memory that is worked in.
        source: Row of the first input.
        inputs: How many.
        target: Row of the first output.
        outputs: How many.
    """
    # Two outputs at a time: half the loads.
    for j in range(0, outputs, 2):
        # An odd last one is computed twice, from the same sum.
        other = j + 1 if j + 1 < outputs else j
        p = first + j * next_output
        q = first + other * next_output
        for e in range(0, rows.shape[1], LANES):
            a = load(rows, target + j, e)
            b = load(rows, target + other, e)
            for i in range(inputs):
                h = load(rows, source + i, e)
                a = a + broadcast(w, p + i * next_input) * h
                b = b + broadcast(w, q + i * next_input) * h
            store(rows, target + j, e, a)
            store(rows, target + other, e, b)


@inlined
def multiply_slope(
    activation: int, rows: np.ndarray, to: int, lo: int, count: int
) -> None:
    """Multiply the rows from `to` on by the slope at the values from `lo` on."""
    for j in range(count):
        for e in range(0, rows.shape[1], LANES):
            d = load(rows, to + j, e)
            store(rows, to + j, e, apply_slope(activation, load(rows, lo + j, e), d))


@inlined
def add_bend(
    activation: int,
    rows: np.ndarray,
    to: int,
    back: int,
    lo: int,
    moved: int,
    count: int,
) -> None:
    """Add the change of the slope × δ to the rows from `to` on.

    Args:
        activation: RELU, TANH or SIGMOID.
        rows: Memory that is worked in.
        to: Row that the first unit's is added to.
        back: Row of its gradient, before the slope.
        lo: Row of its value.
        moved: Row of the change of its value.
        count: How many units.
    """
    if activation == RELU:
        return
    one = splat(ONE)
    two = splat(F32(2.0))
    # The change of the slope is that of the value times d ln(slope) / d value.
    for j in range(count):
        for e in range(0, rows.shape[1], LANES):
            h = load(rows, lo + j, e)
            bend = (splat(ZERO) if activation == TANH else one) - two * h
            change = load(rows, back + j, e) * (bend * load(rows, moved + j, e))
            store(rows, to + j, e, load(rows, to + j, e) + change)


@compile_kernel(ROWS, INPUTS, TARGETS, NET, ROWS, ROWS, ROWS)
def multiply_hessian(
    weights: np.ndarray,
    x: np.ndarray,
    targets: np.ndarray,
    net: Net,
    vectors: np.ndarray,
    rows: np.ndarray,
    product: np.ndarray,
) -> None:
    """Multiply the Hessian of every member's loss by a vector.

    Args:
        weights: As in `evaluate`, and so are x, targets and net.
        x: See there.
        targets: See there.
        net: See there.
        vectors: Float32, shape (member, weight).
        rows: Zeros to work in; shape (2 × units of all layers + 4 × widest + 2,
            column), with at least one column per example, in whole lanes.
        product: Zeros, written; shape (member, weight).
    """
    sizes, activation = net.sizes, net.activation
    layers = len(sizes) - 1
    units = 0
    widest = 0
    for size in sizes:
        units += size
        widest = max(widest, size)
    outputs = sizes[layers]
    asked = 2 * units + 4 * widest
    for m in range(weights.shape[0]):
        w = weights[m]
        v = vectors[m]
        g = product[m]
        write_examples(rows, asked, x[m], targets[m])
        lo = 0
        at = 0
        for k in range(layers):
            fan_in = sizes[k]
            fan_out = sizes[k + 1]
            to = lo + fan_in
            # Values, and `units` rows after them their changes: V h + W ḣ + v.
            a = activation if k < layers - 1 else LINEAR
            dense_layer(w, at, rows, lo, to, fan_in, fan_out, a)
            dense_layer(v, at, rows, lo, units + to, fan_in, fan_out, LINEAR)
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
                )
            if k < layers - 1:
                multiply_slope(activation, rows, units + to, to, fan_out)
            lo = to
            at += fan_out * (fan_in + 1)
        # δ, and `widest` rows after it its change.
        back = 2 * units
        other = back + 2 * widest
        moved = units + lo
        if net.classes:
            cross_entropy(rows, lo, outputs, back, asked)
            move_cross_entropy(rows, moved, outputs, back, back + widest, asked)
        else:
            squared_error(rows, lo, outputs, back, asked)
            move_squared_error(rows, moved, outputs, back + widest, asked)
        for k in range(layers - 1, -1, -1):
            fan_in = sizes[k]
            fan_out = sizes[k + 1]
            lo -= fan_in
            at -= fan_out * (fan_in + 1)
            bias_gradient(g, at + fan_out * fan_in, rows, back + widest, fan_out)
            add_weight_gradient(g, at, rows, back + widest, lo, fan_in, fan_out)
            if k:
                add_weight_gradient(g, at, rows, back, units + lo, fan_in, fan_out)
                input_gradient(w, at, rows, back, other, fan_in, fan_out, LINEAR, lo)
                input_gradient(
                    v, at, rows, back, other + widest, fan_in, fan_out, LINEAR, lo
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
                )
                multiply_slope(activation, rows, other + widest, lo, fan_in)
                add_bend(
                    activation, rows, other + widest, other, lo, units + lo, fan_in
                )
                multiply_slope(activation, rows, other, lo, fan_in)
                back = other
                other = 4 * units + 2 * widest - back
