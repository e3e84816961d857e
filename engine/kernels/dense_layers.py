"""Dense layers of one member: forward, backward, and the slopes of activations.

Rows of `rows` hold one unit each, its columns one example each: inner loops run over
the examples and are vectorized. Columns beyond the examples fill the last vector; their
gradients in the outputs are 0. A member's weights lie layer by layer, each layer as
W (out, in), row by row, then b.
"""

import numpy as np
from numba import njit

from engine.kernels.compiler import FAST
from engine.kernels.float_functions import exp, tanh

F32 = np.float32
ZERO, ONE = F32(0.0), F32(1.0)
RELU, TANH, SIGMOID = 0, 1, 2

# Inlined before types are inferred: that compiles in half the time.
inlined = njit(fastmath=FAST, error_model="numpy", inline="always")


@inlined
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
    spare: int,
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
        spare: A row of zeros; what is written to the row after it is not used.
    """
    # Two outputs and two inputs at a time: half the loads and stores. What the last
    # ones lack is taken from the spare rows.
    for j in range(0, outputs, 2):
        two = j + 1 < outputs
        t0 = target + j
        t1 = t0 + 1 if two else spare + 1
        for i in range(0, inputs, 2):
            p = first + j * next_output + i * next_input
            q = p + next_output if two else p
            r0 = source + i
            r1 = r0 + 1 if i + 1 < inputs else spare
            d = next_input if i + 1 < inputs else 0
            a0 = w[p]
            a1 = w[p + d]
            b0 = w[q]
            b1 = w[q + d]
            for e in range(rows.shape[1]):
                rows[t0, e] += a0 * rows[r0, e] + a1 * rows[r1, e]
                rows[t1, e] += b0 * rows[r0, e] + b1 * rows[r1, e]


@inlined
def affine(
    w: np.ndarray,
    at: int,
    rows: np.ndarray,
    lo: int,
    to: int,
    fan_in: int,
    fan_out: int,
    spare: int,
) -> None:
    """Write W h + b into the rows from `to` on; those of h begin at `lo`."""
    for j in range(fan_out):
        for e in range(rows.shape[1]):
            rows[to + j, e] = w[at + fan_out * fan_in + j]
    add_products(w, at, fan_in, 1, rows, lo, fan_in, to, fan_out, spare)


@inlined
def activate(activation: int, rows: np.ndarray, lo: int, hi: int) -> None:
    """Apply the activation in place; comparisons let NaN pass."""
    for j in range(lo, hi):
        if activation == RELU:
            for e in range(rows.shape[1]):
                rows[j, e] = ZERO if rows[j, e] < ZERO else rows[j, e]
        elif activation == TANH:
            for e in range(rows.shape[1]):
                rows[j, e] = tanh(rows[j, e])
        else:
            for e in range(rows.shape[1]):
                rows[j, e] = ONE / (ONE + exp(-rows[j, e]))


@inlined
def multiply_slope(
    activation: int, rows: np.ndarray, back: int, lo: int, count: int
) -> None:
    """Multiply the rows from `back` on by the activation's slope at its values."""
    for j in range(count):
        if activation == RELU:
            for e in range(rows.shape[1]):
                # Read before the choice: a loop with a conditional read is slow.
                d = rows[back + j, e]
                rows[back + j, e] = ZERO if rows[lo + j, e] <= ZERO else d
        elif activation == TANH:
            for e in range(rows.shape[1]):
                rows[back + j, e] *= ONE - rows[lo + j, e] * rows[lo + j, e]
        else:
            for e in range(rows.shape[1]):
                rows[back + j, e] *= rows[lo + j, e] * (ONE - rows[lo + j, e])


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
    # The change of the slope is that of the value times d ln(slope) / d value.
    for j in range(count):
        if activation == TANH:
            for e in range(rows.shape[1]):
                bend = F32(-2.0) * rows[lo + j, e] * rows[moved + j, e]
                rows[to + j, e] += rows[back + j, e] * bend
        elif activation == SIGMOID:
            for e in range(rows.shape[1]):
                bend = (ONE - F32(2.0) * rows[lo + j, e]) * rows[moved + j, e]
                rows[to + j, e] += rows[back + j, e] * bend


@inlined
def bias_gradient(
    grad: np.ndarray, at: int, rows: np.ndarray, back: int, fan_out: int
) -> None:
    """Write the sum of δ over the examples, from number `at` on."""
    for j in range(fan_out):
        total = ZERO
        for e in range(rows.shape[1]):
            total += rows[back + j, e]
        grad[at + j] = total


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
    for j in range(0, fan_out, 2):
        # An odd last one takes the place of the one that is lacking, too.
        j1 = min(j + 1, fan_out - 1)
        for i in range(0, fan_in, 2):
            i1 = min(i + 1, fan_in - 1)
            s00 = s01 = s10 = s11 = ZERO
            for e in range(rows.shape[1]):
                s00 += rows[back + j, e] * rows[lo + i, e]
                s01 += rows[back + j, e] * rows[lo + i1, e]
                s10 += rows[back + j1, e] * rows[lo + i, e]
                s11 += rows[back + j1, e] * rows[lo + i1, e]
            # All are read before one is written: an odd last one is added once.
            s00 += grad[at + j * fan_in + i]
            s01 += grad[at + j * fan_in + i1]
            s10 += grad[at + j1 * fan_in + i]
            s11 += grad[at + j1 * fan_in + i1]
            grad[at + j * fan_in + i] = s00
            grad[at + j * fan_in + i1] = s01
            grad[at + j1 * fan_in + i] = s10
            grad[at + j1 * fan_in + i1] = s11


@inlined
def input_gradient(
    w: np.ndarray,
    at: int,
    rows: np.ndarray,
    back: int,
    to: int,
    fan_in: int,
    fan_out: int,
    spare: int,
) -> None:
    """Write Wᵀ δ into the rows from `to` on."""
    for i in range(to, to + fan_in):
        for e in range(rows.shape[1]):
            rows[i, e] = ZERO
    add_products(w, at, 1, fan_in, rows, back, fan_out, to, fan_in, spare)
