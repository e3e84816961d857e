"""Trainings of dense nets over several steps, one member after the other.

A member's data and weights stay in the cache from one step to the next, and no step
waits for a call from Python.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import types

from engine.kernels.dense_kernels import (
    INPUTS,
    NET,
    ROWS,
    TARGETS,
    Net,
    called,
    compile_kernel,
    evaluate_member,
    write_examples,
)
from engine.kernels.dense_layers import F32, ZERO
from engine.kernels.dense_losses import write_targets
from engine.kernels.update_rules import RULE, Moment, Rule

# What is recorded at each step, by number.
LOSS, GRAD_NORM, WEIGHT_NORM, UPDATE_NORM, LR_SCALE, HELD_LOSS, ACCURACY = range(7)


class Problem(NamedTuple):
    """What all members train on.

    Args:
        net: The net.
        x: Inputs; shape (member, feature, example).
        y: Classes or regression targets, both as float32; shape (member, example).
        picks: Examples of each step's minibatch, shape (member, step, pick); with no
            rows, all examples are used.
        held_x: Held-out inputs, as x; no rows if they are not measured.
        held_y: Held-out targets.
        decay: Weight decay.
        limit: The largest norm of a gradient; 0 never clips.
        horizon: Steps in all.
    """

    net: Net
    x: np.ndarray
    y: np.ndarray
    picks: np.ndarray
    held_x: np.ndarray
    held_y: np.ndarray
    decay: float
    limit: float
    horizon: int


_FLOAT, _STEP = types.float64, types.int64
_PROBLEM = types.NamedTuple(
    (NET, INPUTS, TARGETS, _STEP[:, :, ::1], INPUTS, TARGETS, _FLOAT, _FLOAT, _STEP),
    Problem,
)
_RULE = (types.FunctionType(RULE), _FLOAT[:, ::1], _FLOAT[::1])
_TRACES = types.float32[:, :, ::1]


@called
def norm(values: np.ndarray) -> float:
    """Return the L2 norm."""
    total = ZERO
    for i in range(len(values)):
        total += values[i] * values[i]
    return F32(math.sqrt(total))


@called
def write_minibatch(
    rows: np.ndarray, asked: int, x: np.ndarray, y: np.ndarray, pick: np.ndarray
) -> None:
    """Write the examples of a minibatch, in the place of another one of its size."""
    for e in range(len(pick)):
        for i in range(x.shape[0]):
            rows[i, e] = x[i, pick[e]]
        rows[asked, e] = y[pick[e]]


@called
def regularize(
    w: np.ndarray, g: np.ndarray, decay: float, limit: float
) -> tuple[float, float]:
    """Add weight decay to a gradient and clip it; return its norm before and after.

    Args:
        w: Weights; shape (weight,).
        g: Their gradient.
        decay: Share of the weights that is added.
        limit: The largest norm; 0 never clips.
    """
    if decay:
        for i in range(len(w)):
            g[i] += F32(decay) * w[i]
    before = norm(g)
    # Comparisons with NaN are false: it is left as it is.
    if limit and before > limit:
        for i in range(len(g)):
            g[i] *= F32(limit) / before
        return before, norm(g)
    return before, before


@called
def move_weights(
    w: np.ndarray, direction: np.ndarray, rate: float, finite: bool
) -> float:
    """Move weights by −rate × direction; return the norm of the update.

    Args:
        w: Weights; shape (weight,).
        direction: Shape (weight,).
        rate: Float32.
        finite: Whether what is not finite of an update is left out.
    """
    for i in range(len(w)):
        direction[i] = -rate * direction[i]
        # NaN and ∞ less themselves are NaN.
        if finite and direction[i] - direction[i] != ZERO:
            direction[i] = ZERO
        w[i] += direction[i]
    return norm(direction)


@compile_kernel(
    _PROBLEM,
    *_RULE,
    ROWS,
    ROWS,
    _STEP,
    _STEP,
    types.boolean,
    types.UniTuple(ROWS, 3),
    _TRACES,
)
def train(
    problem: Problem,
    rule: Rule,
    constants: np.ndarray,
    factors: np.ndarray,
    weights: np.ndarray,
    state: np.ndarray,
    first: int,
    updates: int,
    finite: bool,
    memory: tuple[np.ndarray, np.ndarray, np.ndarray],
    traces: np.ndarray,
) -> None:
    """Train every member for some steps.

    Args:
        problem: What all members train on.
        rule: The update rule.
        constants: Of the rule; float64, shape (member, constant).
        factors: Of the rate, at each step from the first one on.
        weights: At the first step; changed to those after the last one.
        state: Of the rule, changed likewise.
        first: Number of the first step.
        updates: How many there are; the last of the steps may be without one.
        finite: Whether what is not finite of an update is left out.
        memory: Rows for minibatches, the whole training data, and the held-out data;
            see `evaluate`. Those that are not evaluated have no columns.
        traces: Written; shape (what is recorded, member, step).
    """
    rows, whole, held = memory
    asked = rows.shape[0] - 2
    nothing = np.empty(0, F32)
    grad = np.empty(weights.shape[1], F32)
    direction = np.empty(weights.shape[1], F32)
    seen = np.empty(3, F32)
    batches = len(problem.picks) > 0
    net = problem.net
    for m in range(weights.shape[0]):
        w, out = weights[m], traces[:, m]
        x, y = problem.x[m], problem.y[m]
        if batches:
            write_targets(rows, asked, y[: problem.picks.shape[2]])
        else:
            write_examples(rows, asked, x, y)
        if whole.shape[1]:
            write_examples(whole, asked, x, y)
        if held.shape[1]:
            write_examples(held, asked, problem.held_x[m], problem.held_y[m])
        for s in range(traces.shape[2]):
            if batches:
                last = problem.picks.shape[1] - 1
                pick = problem.picks[m, min(first + s, last)]
                write_minibatch(rows, asked, x, y, pick)
            loss, _ = evaluate_member(w, net, rows, False, grad)
            out[LOSS, s] = loss
            before, after = regularize(w, grad, problem.decay, problem.limit)
            out[GRAD_NORM, s] = before
            out[WEIGHT_NORM, s] = norm(w)
            seen[0], seen[1], seen[2] = loss, after, out[WEIGHT_NORM, s]
            if whole.shape[1]:
                out[LOSS, s], _ = evaluate_member(w, net, whole, False, nothing)
            if held.shape[1]:
                out[HELD_LOSS, s], out[ACCURACY, s] = evaluate_member(
                    w, net, held, True, nothing
                )
            if s < updates:
                now = Moment(
                    constants[m],
                    state[m],
                    w,
                    grad,
                    seen,
                    direction,
                    first + s,
                    problem.horizon,
                    factors[s],
                )
                scale = rule(now)
                rate = F32(constants[m, 0]) * scale
                out[LR_SCALE, s] = scale
                out[UPDATE_NORM, s] = move_weights(w, direction, rate, finite)
