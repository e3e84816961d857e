"""Loss and gradient of dense nets, one member after the other.

Rows of `rows` hold one unit each, its columns one example each: inner loops run over
the examples and are vectorized. Columns beyond the examples fill the last vector; their
gradients in the outputs are 0. A member's weights lie layer by layer, each layer as
W (out, in), row by row, then b.
"""

import math

import numpy as np
from numba import njit

from engine.kernels.compiler import FAST, cache_folder
from engine.kernels.float_functions import exp, tanh

F32 = np.float32
ZERO, ONE = F32(0.0), F32(1.0)
RELU, TANH, SIGMOID = 0, 1, 2
# Numbers of one vector: inner loops run over a multiple of them.
LANES = 16
# A product of this size is turned into its logarithm before it overflows.
LARGE = 1e200

# Inlined before types are inferred: that compiles in half the time.
inlined = njit(fastmath=FAST, error_model="numpy", inline="always")
compiled = njit(
    (
        "void(float32[:,::1], float32[:,:,:], int64[:,:], float32[:,:], int64[::1],"
        "int64, float32[:,::1], float32[::1], float32[::1], float32[:,::1])"
    ),
    fastmath=FAST,
    error_model="numpy",
    cache=cache_folder() is not None,
    no_cfunc_wrapper=True,
)


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
    fan_in: int,
    fan_out: int,
    spare: int,
) -> None:
    """Write W h + b into the rows after those of h, which begin at `lo`."""
    for j in range(fan_out):
        for e in range(rows.shape[1]):
            rows[lo + fan_in + j, e] = w[at + fan_out * fan_in + j]
    add_products(w, at, fan_in, 1, rows, lo, fan_in, lo + fan_in, fan_out, spare)


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
def weight_gradient(
    grad: np.ndarray,
    at: int,
    rows: np.ndarray,
    back: int,
    lo: int,
    fan_in: int,
    fan_out: int,
) -> None:
    """Write a layer's gradient: δ hᵀ and the sum of δ over the examples."""
    for j in range(fan_out):
        total = ZERO
        for e in range(rows.shape[1]):
            total += rows[back + j, e]
        grad[at + fan_out * fan_in + j] = total
    for j in range(0, fan_out, 2):
        # An odd last one is computed twice.
        j1 = min(j + 1, fan_out - 1)
        for i in range(0, fan_in, 2):
            i1 = min(i + 1, fan_in - 1)
            s00 = s01 = s10 = s11 = ZERO
            for e in range(rows.shape[1]):
                s00 += rows[back + j, e] * rows[lo + i, e]
                s01 += rows[back + j, e] * rows[lo + i1, e]
                s10 += rows[back + j1, e] * rows[lo + i, e]
                s11 += rows[back + j1, e] * rows[lo + i1, e]
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


@inlined
def cross_entropy(
    rows: np.ndarray, lo: int, classes: int, back: int, sums: int, labels: np.ndarray
) -> float:
    """Return the mean cross-entropy; write its gradient in the logits to `back`."""
    examples = len(labels)
    columns = rows.shape[1]
    for e in range(columns):
        rows[sums, e] = rows[lo, e]
        rows[sums + 1, e] = ZERO
    for j in range(lo + 1, lo + classes):
        for e in range(columns):
            higher = rows[j, e] > rows[sums, e]
            rows[sums, e] = rows[j, e] if higher else rows[sums, e]
    for j in range(classes):
        for e in range(columns):
            # Less the highest logit, so that no exponential overflows.
            rows[back + j, e] = exp(rows[lo + j, e] - rows[sums, e])
            rows[sums + 1, e] += rows[back + j, e]
    # One logarithm of a product takes less time than one per example.
    product = 1.0
    total = 0.0
    for e in range(examples):
        product *= rows[sums + 1, e]
        if product > LARGE:
            total += math.log(product)
            product = 1.0
        total += rows[sums, e] - rows[lo + labels[e], e]
    share = ONE / F32(examples)
    for e in range(columns):
        rows[sums + 1, e] = share / rows[sums + 1, e] if e < examples else ZERO
    for j in range(back, back + classes):
        for e in range(columns):
            rows[j, e] *= rows[sums + 1, e]
    for e in range(examples):
        rows[back + labels[e], e] -= share
    return (total + math.log(product)) / examples


@inlined
def squared_error(
    rows: np.ndarray, lo: int, outputs: int, back: int, values: np.ndarray
) -> float:
    """Return the first output's mean squared error; write its gradient to `back`."""
    for j in range(back, back + outputs):
        for e in range(rows.shape[1]):
            rows[j, e] = ZERO
    total = ZERO
    share = F32(2.0) / F32(len(values))
    for e in range(len(values)):
        gap = rows[lo, e] - values[e]
        total += gap * gap
        rows[back, e] = share * gap
    return total / F32(len(values))


@inlined
def share_of_right_answers(
    rows: np.ndarray, lo: int, classes: int, sums: int, labels: np.ndarray
) -> float:
    """Return the accuracy; the first of equal scores is the answer.

    The highest score of each example is in row `sums`. NaN if a score is not finite.
    """
    right = ZERO
    broken = ZERO
    for e in range(len(labels)):
        hit = rows[lo + labels[e], e] == rows[sums, e]
        for j in range(classes):
            # NaN and ∞ times 0 are NaN.
            broken += rows[lo + j, e] * ZERO
            if j < labels[e] and rows[lo + j, e] == rows[sums, e]:
                hit = False
        right += ONE if hit else ZERO
    return right / F32(len(labels)) + broken


@compiled
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
        grad: Written; shape (member, weight), or no rows to save the time.
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
            affine(w, at, rows, lo, sizes[k], sizes[k + 1], spare)
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
                weight_gradient(g, at, rows, back, lo, fan_in, fan_out)
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
    loss, accuracy, grad = np.empty(1, F32), np.empty(1, F32), np.empty((1, 4), F32)
    x, labels = np.ones((1, 1, 1), F32), np.zeros((1, 1), np.int64)
    weights, sizes = np.zeros((1, 4), F32), np.array([1, 2])
    evaluate(weights, x, labels, none, sizes, RELU, rows, loss, accuracy, grad)
    # Two equal logits: ln 2, the first class is right, p − one-hot is ∓ 1/2.
    known = [math.log(2.0), 1.0, -0.5, 0.5, -0.5, 0.5]
    if not np.allclose([*loss, *accuracy, *grad[0]], known, atol=1e-6):
        raise ArithmeticError("the compiled kernels compute wrong numbers")
