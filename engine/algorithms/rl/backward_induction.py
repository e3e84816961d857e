"""Backward induction: optimal values and actions of known finite-horizon MDPs."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Plan(NamedTuple):
    """An optimal policy, and what it earns.

    Args:
        values: Expected return from the first step on; shape (…, state).
        action_values: Expected return of each action at each step, if all later
            actions are optimal; shape (…, step, state, action).
    """

    values: Tensor
    action_values: Tensor


def solve_backward(
    rewards: Tensor,
    look_ahead: Callable[[Tensor], Tensor],
    steps: int,
    slip: float = 0.0,
) -> Plan:
    """Solve MDPs from the last step to the first.

    Q_t(s, a) = r(s, a) + E[max_a' Q_{t+1}(s', a')]; with a slip σ, every action is
    replaced by a uniformly drawn one with chance σ.

    Args:
        rewards: Mean rewards; shape (…, state, action).
        look_ahead: Values of the next states, (…, state) → their expectation before
            each action, (…, state, action).
        steps: Steps of an episode.
        slip: σ, from 0 to 1.
    """
    values = torch.zeros_like(rewards[..., 0])
    found: list[Tensor] = []
    for _ in range(steps):
        q = rewards + look_ahead(values)
        if slip:
            q = (1.0 - slip) * q + slip * q.mean(-1, keepdim=True)
        values = q.amax(-1)
        found.append(q)
    return Plan(values, torch.stack(found[::-1], -3))


def expect(chances: Tensor, values: Tensor) -> Tensor:
    """Return the expected value of the next state.

    Args:
        chances: Of each next state; shape (…, state, action, next state).
        values: Shape (…, next state).

    Returns:
        Shape (…, state, action).
    """
    # A sum, not a matrix product: one MDP's bits must not depend on the others.
    return (chances * values[..., None, None, :]).sum(-1)
