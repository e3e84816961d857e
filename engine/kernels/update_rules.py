"""Update rules of one member, as functions that a compiled training calls.

A rule writes a direction d and returns a scale s; the training then moves the weights
by −rate × s × d. It is called by its address, so each rule is compiled by itself when
it is first used. The torch code of each rule is the reference.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import cfunc, types

from engine.kernels.compiler import FAST, cache_folder
from engine.kernels.dense_layers import F32, ONE, inlined
from engine.kernels.float_functions import tanh
from engine.kernels.lanes import LANES, load, store

# A controller's signals are logarithms of what lies between these; NaN is too large.
SMALLEST, LARGEST, TOO_LARGE = F32(1e-12), F32(1e12), F32(27.0)
# Constants of `lr_scale` before its net's weights.
NET = 12


class Moment(NamedTuple):
    """One member's training at one step.

    Args:
        constants: Of the rule, the rate first. Float64, as in torch: 1 − β of a rounded
            β is wrong in the fifth digit.
        state: Of the rule, changed in place.
        weights: Shape (weight,).
        grad: Clipped where the net says so; shape (weight,).
        seen: Loss, norm of that gradient, norm of the weights.
        direction: Written; shape (weight,).
        step: Steps taken before this one.
        horizon: Steps in all.
        factor: What a schedule multiplies the rate by.
    """

    constants: np.ndarray
    state: np.ndarray
    weights: np.ndarray
    grad: np.ndarray
    seen: np.ndarray
    direction: np.ndarray
    step: int
    horizon: int
    factor: float


Rule = Callable[[Moment], float]
_ARRAYS = (types.float64[::1], *[types.float32[::1]] * 5)
RULE = types.float32(
    types.NamedTuple((*_ARRAYS, types.int64, types.int64, types.float64), Moment)
)


def sgd(now: Moment) -> float:
    """Step along the gradient."""
    for i in range(len(now.grad)):
        now.direction[i] = now.grad[i]
    return F32(now.factor)


def momentum(now: Moment) -> float:
    """Step along the velocity; constants: μ, dampening."""
    decay = F32(now.constants[1])
    # The first gradient is not dampened, as in torch.
    fresh = ONE if now.step == 0 else F32(1.0 - now.constants[2])
    for i in range(len(now.grad)):
        now.state[i] = decay * now.state[i] + fresh * now.grad[i]
        now.direction[i] = now.state[i]
    return F32(now.factor)


def nesterov(now: Moment) -> float:
    """Step along g + μ v; constant: μ."""
    decay = F32(now.constants[1])
    for i in range(len(now.grad)):
        now.state[i] = decay * now.state[i] + now.grad[i]
        now.direction[i] = now.grad[i] + decay * now.state[i]
    return F32(now.factor)


def adam(now: Moment) -> float:
    """Step along m̂ / (√v̂ + ε) + λ w; constants: β₁, β₂, ε, λ."""
    beta, beta_square = now.constants[1], now.constants[2]
    floor, decay = F32(now.constants[3]), F32(now.constants[4])
    fresh, fresh_square = F32(1.0 - beta), F32(1.0 - beta_square)
    share = F32(1.0 - beta ** (now.step + 1))
    root_share = F32(math.sqrt(1.0 - beta_square ** (now.step + 1)))
    n = len(now.grad)
    m, v = now.state[:n], now.state[n:]
    for i in range(n):
        g = now.grad[i]
        m[i] += fresh * (g - m[i])
        v[i] += fresh_square * (g * g - v[i])
        root = F32(math.sqrt(v[i])) / root_share + floor
        now.direction[i] = m[i] / share / root + decay * now.weights[i]
    return F32(now.factor)


def rmsprop(now: Moment) -> float:
    """Step along g / (√v + ε); constants: α, ε."""
    fresh, floor = F32(1.0 - now.constants[1]), F32(now.constants[2])
    for i in range(len(now.grad)):
        g = now.grad[i]
        now.state[i] += fresh * (g * g - now.state[i])
        now.direction[i] = g / (F32(math.sqrt(now.state[i])) + floor)
    return F32(now.factor)


def adagrad(now: Moment) -> float:
    """Step along g / ((1 + λ t)(√s + ε)); constants: λ, ε."""
    shrink = F32(1.0 + now.constants[1] * now.step)
    floor = F32(now.constants[2])
    for i in range(len(now.grad)):
        g = now.grad[i]
        now.state[i] += g * g
        now.direction[i] = g / (F32(math.sqrt(now.state[i])) + floor) / shrink
    return F32(now.factor)


def lr_scale(now: Moment) -> float:
    """Step along the gradient, at a scale that a net reads from the training's state.

    Constants: κ, c, the clip of signals, whether they are relative to the first ones;
    which signals there are (loss, gradient norm, weight norm, changes, scale,
    progress); the net's hidden units, and its weights. The state is the log scale, the
    first logarithms and the last ones.
    """
    constants, state = now.constants, now.state
    for i in range(len(now.grad)):
        now.direction[i] = now.grad[i]
    signals = np.empty(7, F32)
    changes = np.empty(3, F32)
    count = 0
    for i in range(3):
        level = LARGEST if now.seen[i] > LARGEST else now.seen[i]
        level = SMALLEST if level < SMALLEST else level
        level = F32(math.log(level)) if level == level else TOO_LARGE
        if now.step == 0:
            state[1 + i] = level
            state[4 + i] = level
        changes[i] = F32(5.0) * (level - state[4 + i])
        state[4 + i] = level
        if constants[5 + i]:
            relative = constants[4] != 0.0
            signals[count] = level - state[1 + i] if relative else F32(0.5) * level
            count += 1
    if constants[8]:
        signals[count] = changes[0]
        signals[count + 1] = changes[1]
        count += 2
    if constants[9]:
        signals[count] = state[0]
        count += 1
    if constants[10]:
        signals[count] = F32(2.0 * now.step / now.horizon - 1.0)
        count += 1
    action = _net_output(constants, signals[:count])
    span, bound = F32(constants[1]), F32(constants[2])
    move = span * F32(math.tanh(action / span)) - state[0]
    # Comparisons let NaN pass.
    move = bound if move > bound else move
    state[0] += -bound if move < -bound else move
    return F32(math.exp(state[0]))


@inlined
def _net_output(constants: np.ndarray, signals: np.ndarray) -> float:
    """Return the output of a net with one hidden layer of tanh units."""
    clip, hidden = F32(constants[3]), int(constants[11])
    inputs = len(signals)
    units = np.zeros((1, -(-hidden // LANES) * LANES), F32)
    biases = NET + hidden * inputs
    for j in range(hidden):
        total = F32(constants[biases + j])
        for i in range(inputs):
            signal = min(max(signals[i], -clip), clip)
            total += F32(constants[NET + j * inputs + i]) * signal
        units[0, j] = total
    for e in range(0, units.shape[1], LANES):
        store(units, 0, e, tanh(load(units, 0, e)))
    last = biases + hidden
    output = F32(constants[last + hidden])
    for j in range(hidden):
        output += F32(constants[last + j]) * units[0, j]
    return output


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (sgd, momentum, nesterov, adam, rmsprop, adagrad, lr_scale)
}


@cache
def find_rule(name: str) -> Any:
    """Return a compiled rule by its name."""
    kept = cache_folder() is not None
    return cfunc(RULE, cache=kept, fastmath=FAST, error_model="numpy")(RULES[name])
