"""Unrolled gradient: backpropagate through the inner training.

Source: Maclaurin, Duvenaud and Adams (2015), arXiv:1502.03492; Andrychowicz et al.
(2016), arXiv:1606.04474, section 2.
Differs: each task's gradient is computed separately and can be normalized to length 1,
as one chaotic run would otherwise dominate all others. 50 steps by default, 20 for
Andrychowicz et al.
Helps: exact for its window; a window shorter than the horizon is greedy and learns
rates that are too low (short-horizon bias, Wu et al. 2018).
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.algorithms.optimization.perturbations import (
    merge_replicates,
    split_replicates,
)
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import (
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    UnrollableProblem,
    UnrollWindow,
    Weights,
    square_root,
)

TINY = 1e-12  # a gradient of zero stays zero


@register("estimator")
class Unroll(Estimator):
    """ĝ = mean over tasks of ∇_θ mean over the window of ln L(w_t(θ)), scaled."""

    version: ClassVar[int] = 2
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    compiles: ClassVar[bool] = True

    length: int = knob(
        50,
        label="Unroll length",
        unit="steps",
        low=1,
        high=5000,
        work="window",
        help="Steps to backpropagate through; shorter than the horizon is biased.",
    )
    order: Literal["first", "second"] = knob(
        "first",
        label="Inner gradient",
        help="First: treated as constant (cheap). Second: differentiated, too. The "
        "inputs of a controller (losses, norms) are constants in both.",
    )
    equal: bool = knob(
        True,
        label="Equal tasks",
        help="Normalize each task's gradient to length 1, so that none dominates.",
    )

    def window_length(self, horizon: int) -> int:
        """Return the unroll length, at most the horizon."""
        return min(self.length, horizon)

    def cost(self, horizon: int) -> float:
        """Return task evaluations; the backward pass counts as one or two more."""
        return (
            (2 if self.order == "first" else 3) * self.window_length(horizon) / horizon
        )

    def memory(self, weights: Weights, problem: UnrollableProblem) -> Weights:
        """Return the initial state of the base learners."""
        return split_replicates(problem.begin(1), problem.replicates)

    def estimate(
        self, meta: Meta, problem: UnrollableProblem, step_context: OuterStepContext
    ) -> Outer:
        """Unroll one window, backpropagate through it, and keep the state."""
        memory = meta.memory
        if step_context.segment == 0:
            memory = self.memory(meta.weights, problem)
        start = step_context.segment * self.window_length(problem.horizon)
        length = min(self.window_length(problem.horizon), problem.horizon - start)
        # Each member has its own copy, so one backward gives each task's gradient.
        theta = {
            name: value.detach().repeat_interleave(problem.tasks, 0).requires_grad_()
            for name, value in meta.weights.items()
        }
        span = UnrollWindow(start, length, order=1 if self.order == "first" else 2)
        state, scores, _ = problem.segment(theta, merge_replicates(memory), span)
        loss = scores.mean(1)
        each = member_gradients(loss, theta)
        if self.equal:
            each = normalize_gradients(each)
        grads = {
            name: grad.unflatten(0, (problem.replicates, -1)).mean(1)
            for name, grad in each.items()
        }
        # Truncation: the next window starts without this one's graph.
        after = {
            k: v.detach()
            for k, v in split_replicates(state, problem.replicates).items()
        }
        shown = loss.detach().unflatten(0, (problem.replicates, -1)).mean(1)
        return Outer(after, {"meta_loss": shown}, grads)


def member_gradients(loss: Tensor, theta: Weights) -> Weights:
    """Return each member's gradient; zero if any of its entries is not finite.

    Args:
        loss: Loss of each member; shape (member,).
        theta: Meta-weights of each member, which require gradients; (member, …).
    """
    found = torch.autograd.grad(loss.sum(), list(theta.values()), allow_unused=True)
    grads = {
        name: torch.zeros_like(value) if grad is None else grad
        for (name, value), grad in zip(theta.items(), found, strict=True)
    }
    finite = torch.isfinite(member_norm(grads))
    return {
        name: torch.where(finite.view(-1, *[1] * (grad.dim() - 1)), grad, 0.0)
        for name, grad in grads.items()
    }


def member_norm(grads: Weights) -> Tensor:
    """Return the L2 norm over all meta-weights.

    Args:
        grads: Gradients by name; shape (member, …) each.

    Returns:
        Shape (member,).
    """
    squares = [g.reshape(len(g), -1).square().sum(1) for g in grads.values()]
    return square_root(torch.stack(squares).sum(0))


def normalize_gradients(grads: Weights) -> Weights:
    """Scale each member's gradient, shape (member, …), to length 1."""
    norm = member_norm(grads).clamp(min=TINY)
    return {k: g / norm.view(-1, *[1] * (g.dim() - 1)) for k, g in grads.items()}
