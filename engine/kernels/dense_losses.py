"""Losses of one member, with their gradients in the outputs.

Two rows of `rows` say what is asked of each example: its target (a class or a value),
and its share in the mean, 1 / examples. Columns beyond the examples have share 0, and
are left out by comparison, not by a product: their outputs may be infinite.
"""

from typing import Any

import numpy as np

from engine.kernels.dense_layers import F32, ONE, ZERO, inlined
from engine.kernels.float_functions import exp, log
from engine.kernels.lanes import (
    LANES,
    add_up,
    load,
    splat,
    store,
    where_at_most,
    where_equal,
)


@inlined
def write_targets(rows: np.ndarray, row: int, targets: np.ndarray) -> None:
    """Write targets into a row, and the shares of the examples into the next one."""
    share = ONE / F32(len(targets))
    for e in range(rows.shape[1]):
        rows[row + 1, e] = share if e < len(targets) else ZERO
    for e in range(len(targets)):
        rows[row, e] = targets[e]


@inlined
def highest_output(rows: np.ndarray, lo: int, classes: int, e: int) -> Any:
    """Return the highest output of some examples; NaN is passed over."""
    best = load(rows, lo, e)
    for j in range(lo + 1, lo + classes):
        score = load(rows, j, e)
        best = where_at_most(score, best, best, score)
    return best


@inlined
def cross_entropy(
    rows: np.ndarray, lo: int, classes: int, back: int, asked: int
) -> float:
    """Return the mean cross-entropy; write its gradient in the logits to `back`.

    Args:
        rows: Memory that is worked in.
        lo: Row of the first logit.
        classes: How many.
        back: Row of the first gradient.
        asked: Row of the targets.
    """
    zero = splat(ZERO)
    total = zero
    for e in range(0, rows.shape[1], LANES):
        label = load(rows, asked, e)
        share = load(rows, asked + 1, e)
        # Less the highest logit, so that no exponential overflows.
        best = highest_output(rows, lo, classes, e)
        mass = zero
        chosen = zero
        for j in range(classes):
            logit = load(rows, lo + j, e)
            power = exp(logit - best)
            mass = mass + power
            chosen = where_equal(label, splat(F32(j)), logit, chosen)
            store(rows, back + j, e, power)
        each = where_at_most(share, zero, zero, (best - chosen) + log(mass))
        total = total + each * share
        scale = share / mass
        for j in range(classes):
            hit = where_equal(label, splat(F32(j)), share, zero)
            slope = load(rows, back + j, e) * scale - hit
            store(rows, back + j, e, where_at_most(share, zero, zero, slope))
    return add_up(total)


@inlined
def squared_error(
    rows: np.ndarray, lo: int, outputs: int, back: int, asked: int
) -> float:
    """Return the first output's mean squared error; see `cross_entropy`."""
    zero = splat(ZERO)
    total = zero
    for e in range(0, rows.shape[1], LANES):
        share = load(rows, asked + 1, e)
        gap = load(rows, lo, e) - load(rows, asked, e)
        gap = where_at_most(share, zero, zero, gap)
        total = total + gap * gap * share
        store(rows, back, e, splat(F32(2.0)) * gap * share)
        for j in range(1, outputs):
            store(rows, back + j, e, zero)
    return add_up(total)


@inlined
def share_of_right_answers(rows: np.ndarray, lo: int, classes: int, asked: int) -> Any:
    """Return the accuracy; the first of equal scores is the answer.

    NaN if a score is not finite.
    """
    zero = splat(ZERO)
    right = zero
    for e in range(0, rows.shape[1], LANES):
        share = load(rows, asked + 1, e)
        best = load(rows, lo, e)
        answer = zero
        broken = best * zero  # NaN and ∞ times 0 are NaN
        for j in range(1, classes):
            score = load(rows, lo + j, e)
            broken = broken + score * zero
            answer = where_at_most(score, best, answer, splat(F32(j)))
            best = where_at_most(score, best, best, score)
        hit = where_equal(answer, load(rows, asked, e), share, zero)
        right = right + where_at_most(share, zero, zero, hit + broken)
    return add_up(right)


@inlined
def move_cross_entropy(
    rows: np.ndarray, moved: int, classes: int, back: int, to: int, asked: int
) -> None:
    """Write the change of the cross-entropy's gradient to the rows from `to` on.

    Args:
        rows: Memory that is worked in.
        moved: Row of the change of the first logit.
        classes: How many.
        back: Row of the gradient in the first logit: (p − one-hot) × share.
        to: See above.
        asked: Row of the targets.
    """
    zero = splat(ZERO)
    for e in range(0, rows.shape[1], LANES):
        label = load(rows, asked, e)
        share = load(rows, asked + 1, e)
        whole = zero
        mean = zero
        for j in range(classes):
            hit = where_equal(label, splat(F32(j)), share, zero)
            p = load(rows, back + j, e) + hit
            store(rows, to + j, e, p)
            whole = whole + p
            mean = mean + p * load(rows, moved + j, e)
        # Mean change under p; columns beyond the examples have p × share = 0.
        mean = where_at_most(share, zero, zero, mean / whole)
        for j in range(classes):
            gap = load(rows, moved + j, e) - mean
            change = load(rows, to + j, e) * gap
            store(rows, to + j, e, where_at_most(share, zero, zero, change))


@inlined
def move_squared_error(
    rows: np.ndarray, moved: int, outputs: int, to: int, asked: int
) -> None:
    """Write the change of the squared error's gradient to the rows from `to` on."""
    zero = splat(ZERO)
    for e in range(0, rows.shape[1], LANES):
        share = load(rows, asked + 1, e)
        change = splat(F32(2.0)) * share * load(rows, moved, e)
        store(rows, to, e, where_at_most(share, zero, zero, change))
        for j in range(1, outputs):
            store(rows, to + j, e, zero)
