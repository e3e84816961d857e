"""Losses of one member, with their gradients in the outputs."""

import math

import numpy as np

from engine.kernels.dense_layers import F32, ONE, ZERO, inlined
from engine.kernels.float_functions import exp

# A product of this size is turned into its logarithm before it overflows.
LARGE = 1e200


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


@inlined
def move_cross_entropy(
    rows: np.ndarray,
    moved: int,
    classes: int,
    back: int,
    to: int,
    sums: int,
    labels: np.ndarray,
) -> None:
    """Write the change of the cross-entropy's gradient to the rows from `to` on.

    Args:
        rows: Memory that is worked in.
        moved: Row of the change of the first logit.
        classes: How many.
        back: Row of the gradient in the first logit: (p − one-hot) / examples.
        to: See above.
        sums: A row to work in.
        labels: Class of each example.
    """
    examples = F32(len(labels))
    for e in range(rows.shape[1]):
        rows[sums, e] = ZERO
    for j in range(classes):
        for e in range(rows.shape[1]):
            rows[sums, e] += examples * rows[back + j, e] * rows[moved + j, e]
    # Mean change under p: the gradient lacks p only by the one-hot label.
    for e in range(len(labels)):
        rows[sums, e] += rows[moved + labels[e], e]
    for j in range(classes):
        for e in range(rows.shape[1]):
            gap = rows[moved + j, e] - rows[sums, e]
            rows[to + j, e] = rows[back + j, e] * gap
    for e in range(len(labels)):
        gap = rows[moved + labels[e], e] - rows[sums, e]
        rows[to + labels[e], e] += gap / examples


@inlined
def move_squared_error(
    rows: np.ndarray, moved: int, outputs: int, to: int, examples: int
) -> None:
    """Write the change of the squared error's gradient to the rows from `to` on."""
    for j in range(to, to + outputs):
        for e in range(rows.shape[1]):
            rows[j, e] = ZERO
    for e in range(examples):
        rows[to, e] = F32(2.0) / F32(examples) * rows[moved, e]
