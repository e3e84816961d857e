"""Every hand-made update rule, as a pure function: gradient and state in, step out.

A step is at rate 1: whoever calls subtracts rate × step. Tensors are of shape
(member, weight), and a state begins as zeros.

Source: the update rules of torch.optim, which the tests compare step for step.
"""

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from engine.protocol import Weights, square_root

Schedule = Literal["constant", "step", "cosine", "warmup_cosine"]


class Direction(NamedTuple):
    """Which way and how far at rate 1, and the new state."""

    step: Tensor
    state: Weights


def schedule_factor(schedule: Schedule, step: int, horizon: int) -> float:
    """Return the share of the rate that a schedule leaves at a step.

    >>> [schedule_factor("cosine", t, 4) for t in (0, 2)]
    [1.0, 0.5]
    """
    if schedule == "constant":
        return 1.0
    if schedule == "step":
        return 0.1 ** sum(step >= share * horizon for share in (0.5, 0.75))
    warmup = max(1, horizon // 10) if schedule == "warmup_cosine" else 0
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, horizon - warmup)
    return (1 + math.cos(math.pi * done)) / 2


def zeros(weights: Tensor, *names: str) -> Weights:
    """Return a state of zeros in the shape of the weights, one per name."""
    return {name: torch.zeros_like(weights) for name in names}


def momentum_step(
    grad: Tensor, state: Weights, decay: float, fresh: float = 1.0
) -> Direction:
    """Step along the velocity v ← μ v + fresh · g; fresh is 1 − dampening."""
    velocity = decay * state["velocity"] + fresh * grad
    return Direction(velocity, {"velocity": velocity})


def nesterov_step(grad: Tensor, state: Weights, decay: float) -> Direction:
    """Step along g + μ v after v ← μ v + g: torch's form, not Sutskever's."""
    velocity = decay * state["velocity"] + grad
    return Direction(grad + decay * velocity, {"velocity": velocity})


def adam_step(
    grad: Tensor, state: Weights, step: int, betas: tuple[float, float], eps: float
) -> Direction:
    """Step along m̂ / (√v̂ + ε), both moments corrected for their zero start."""
    t = step + 1
    m = torch.lerp(state["m"], grad, 1 - betas[0])
    v = torch.lerp(state["v"], grad.square(), 1 - betas[1])
    root = square_root(v) / math.sqrt(1 - betas[1] ** t) + eps
    return Direction(m / (1 - betas[0] ** t) / root, {"m": m, "v": v})


def rmsprop_step(grad: Tensor, state: Weights, decay: float, eps: float) -> Direction:
    """Step along g / (√v + ε) after v ← α v + (1−α) g²."""
    v = torch.lerp(state["v"], grad.square(), 1 - decay)
    return Direction(grad / (square_root(v) + eps), {"v": v})


def adagrad_step(grad: Tensor, state: Weights, eps: float) -> Direction:
    """Step along g / (√s + ε) after s ← s + g²."""
    total = state["sum"] + grad.square()
    return Direction(grad / (square_root(total) + eps), {"sum": total})
