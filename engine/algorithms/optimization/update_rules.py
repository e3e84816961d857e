"""Update rules of hand-designed optimizers: gradient and state in, step and state out.

Steps are for learning rate 1: the caller subtracts rate × step. Tensors are of shape
(member, weight), and the initial state is zeros.

Source: the update rules of torch.optim, which the tests compare step for step.
"""

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from engine.protocol import Weights, square_root

Schedule = Literal["constant", "step", "cosine", "warmup_cosine"]


class Direction(NamedTuple):
    """A step at rate 1, to be subtracted, and the new state."""

    step: Tensor
    state: Weights


def schedule_factor(schedule: Schedule, step: int, horizon: int) -> float:
    """Return the factor that a schedule applies to the learning rate at a step.

    Args:
        schedule: Name of the schedule.
        step: The inner step, from 0 on.
        horizon: Number of steps; at least 1.

    >>> [schedule_factor("cosine", t, 4) for t in (0, 2)]
    [1.0, 0.5]
    """
    if schedule == "constant":
        return 1.0
    if schedule == "step":
        # One factor of 0.1 per milestone passed.
        return 0.1 ** sum(step >= share * horizon for share in (0.5, 0.75))
    warmup = max(1, horizon // 10) if schedule == "warmup_cosine" else 0
    if step < warmup:
        return (step + 1) / warmup
    # At least 1, for a horizon that is all warmup.
    done = (step - warmup) / max(1, horizon - warmup)
    return (1 + math.cos(math.pi * done)) / 2


def zeros(weights: Tensor, *names: str) -> Weights:
    """Return a state of zeros in the shape of the weights, one per name."""
    return {name: torch.zeros_like(weights) for name in names}


def momentum_step(
    grad: Tensor, state: Weights, decay: float, fresh: float = 1.0
) -> Direction:
    """Step along the velocity v ← μ v + fresh · g.

    Args:
        grad: g; shape (member, weight).
        state: Holds the velocity.
        decay: μ.
        fresh: 1 − dampening.
    """
    velocity = decay * state["velocity"] + fresh * grad
    return Direction(velocity, {"velocity": velocity})


def nesterov_step(grad: Tensor, state: Weights, decay: float) -> Direction:
    """Step along g + μ v after v ← μ v + g: torch's form, not Sutskever's."""
    velocity = decay * state["velocity"] + grad
    return Direction(grad + decay * velocity, {"velocity": velocity})


def adam_step(
    grad: Tensor, state: Weights, step: int, betas: tuple[float, float], eps: float
) -> Direction:
    """Step along m̂ / (√v̂ + ε), both moments bias-corrected.

    Args:
        grad: g; shape (member, weight).
        state: Holds the moments m and v.
        step: Steps taken before this one.
        betas: β₁ and β₂, the decays of m and v.
        eps: ε.
    """
    t = step + 1
    m = torch.lerp(state["m"], grad, 1 - betas[0])
    v = torch.lerp(state["v"], grad.square(), 1 - betas[1])
    # The correction is applied after the root, as in torch, to round alike.
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
