"""Updates of a policy within a trial: a gradient step, and Adam on any loss.

Each member has weights of its own, and its own step size.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from engine.algorithms.rl.policies import POLICY
from engine.protocol import Weights
from engine.protocol.adam_moments import advance_moments

Loss = Callable[[Weights], Tensor]  # weights → each member's loss, shape (member,)


def policy_names(weights: Weights) -> list[str]:
    """Return the names of the policy's weights."""
    return [name for name in weights if name.startswith(POLICY)]


def descend(
    weights: Weights, loss: Loss, names: list[str], rate: Tensor, *, order: int
) -> Weights:
    """Take one gradient step; it has a graph if the weights have one.

    Args:
        weights: Shape (member, …).
        loss: What is descended.
        names: The weights that move.
        rate: Step size of each member, a constant; shape (member,).
        order: 2 differentiates through the gradient, 1 takes it as a constant.
    """
    tracked = weights[names[0]].requires_grad
    start = weights if tracked else _leaves(weights, names)
    with torch.enable_grad():
        moving = [start[name] for name in names]
        grads = torch.autograd.grad(
            loss(start).sum(),
            moving,
            create_graph=tracked and order == 2,
            materialize_grads=True,
        )
    moved = {}
    for name, grad in zip(names, grads, strict=True):
        after = start[name] - per_member(rate.detach(), grad) * grad
        moved[name] = after if tracked else after.detach()
    return weights | moved


def _leaves(weights: Weights, names: list[str]) -> Weights:
    """Return the weights without a graph; those with the names are to be moved."""
    leaves = {name: w.detach() for name, w in weights.items()}
    return leaves | {name: leaves[name].clone().requires_grad_() for name in names}


class MemberAdam:
    """Adam with a step size for each member.

    Source: Kingma and Ba (2015), arXiv:1412.6980, algorithm 1.

    Args:
        rate: Shape (member,).
    """

    def __init__(self, rate: Tensor) -> None:
        self.rate, self.steps = rate, 0
        self.moments: dict[str, tuple[Tensor, Tensor]] = {}

    def step(self, weights: Weights, loss: Loss, names: list[str]) -> Weights:
        """Return the weights after one step; they have no graph.

        Args:
            weights: Shape (member, …).
            loss: What is descended.
            names: The weights that move.
        """
        leaves = _leaves(weights, names)
        with torch.enable_grad():
            moving = [leaves[name] for name in names]
            grads = torch.autograd.grad(
                loss(leaves).sum(), moving, materialize_grads=True
            )
        self.steps += 1
        moved = {}
        for name, grad in zip(names, grads, strict=True):
            step = per_member(self.rate, grad) * self._direction(name, grad)
            moved[name] = leaves[name].detach() - step
        return weights | moved

    def _direction(self, name: str, grad: Tensor) -> Tensor:
        """Return m̂ / (√v̂ + ε) of one tensor."""
        zero = torch.zeros_like(grad)
        now = advance_moments(grad, *self.moments.get(name, (zero, zero)), self.steps)
        self.moments[name] = (now.m, now.v)
        return now.m / now.correction / now.root


def per_member(rate: Tensor, like: Tensor) -> Tensor:
    """Return rates that broadcast to a tensor of shape (member, …)."""
    return rate.view(-1, *[1] * (like.dim() - 1))
