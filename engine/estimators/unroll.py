"""Gradient through an unroll: differentiate the inner training itself.

Source: Maclaurin, Duvenaud and Adams (2015), arXiv:1502.03492; Andrychowicz et
al. (2016), arXiv:1606.04474, section 2.
Helps: exact for its window; a window shorter than the horizon is greedy and
learns rates that are too low (short-horizon bias, Wu et al. 2018).
"""

from typing import ClassVar, Literal

import torch

from engine.contract.knobs import knob
from engine.contract.registry import register
from engine.protocol import Estimator, Lesson, Meta, Outer, Span, Unrolled, Weights


@register("estimator")
class Unroll(Estimator):
    """ĝ = ∇_θ mean over the window of ln L(w_t(θ)), the window's start held fixed."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"landscapes"})

    length: int = knob(
        50, label="Unroll length", unit="steps", low=1, high=5000,
        help="Steps that are differentiated; shorter than the horizon is biased.",
    )  # fmt: skip
    order: Literal["first", "second"] = knob(
        "first", label="Inner gradient",
        help="First: taken as given (cheap); second: differentiated too (exact).",
    )  # fmt: skip

    def span(self, horizon: int) -> int:
        """Return the unroll length, at most the horizon."""
        return min(self.length, horizon)

    def cost(self, horizon: int) -> float:
        """Return task evaluations; the backward pass counts as one or two more."""
        return (2 if self.order == "first" else 3) * self.span(horizon) / horizon

    def memory(self, weights: Weights, problem: Unrolled) -> Weights:
        """Return the base learners at their start."""
        return _led(problem.begin(1), problem)

    def estimate(self, meta: Meta, problem: Unrolled, lesson: Lesson) -> Outer:
        """Unroll one window, go back through it, and carry the state on."""
        memory = meta.memory
        if lesson.segment == 0:
            memory = self.memory(meta.weights, problem)
        state = {name: value.flatten(0, 1).detach() for name, value in memory.items()}
        theta = {k: v.detach().requires_grad_() for k, v in meta.weights.items()}
        start = lesson.segment * self.span(problem.horizon)
        length = min(self.span(problem.horizon), problem.horizon - start)
        span = Span(start, length, order=1 if self.order == "first" else 2)
        state, scores, _ = problem.segment(theta, state, span)
        loss = scores.mean(1).reshape(problem.replicates, -1).mean(1)
        found = torch.autograd.grad(loss.sum(), list(theta.values()), allow_unused=True)
        grads = {
            name: torch.zeros_like(value) if grad is None else grad
            for (name, value), grad in zip(theta.items(), found, strict=True)
        }
        memory = {k: v.detach() for k, v in _led(state, problem).items()}
        return Outer(memory, {"meta_loss": loss.detach()}, grads)


def _led(state: Weights, problem: Unrolled) -> Weights:
    return {k: v.unflatten(0, (problem.replicates, -1)) for k, v in state.items()}
