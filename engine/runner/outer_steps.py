"""One meta-step: the learner's outer gradient, then the outer rule."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from engine.outers._clipping import replicate_norm
from engine.protocol import (
    Compile,
    Meta,
    Outer,
    OuterRule,
    OuterStepContext,
    Plan,
    TaskBatch,
    Weights,
    run_eagerly,
)
from engine.runner.context import LearnerEntry, RunContext

# Tensors by name: `weights`, the learner's `memory`, the `outer` rule's state, …
Trees = dict[str, Weights]


class StepResult(NamedTuple):
    """What one meta-step gives.

    Args:
        trees: The trees after it; those that it does not concern are unchanged.
        info: One number per replicate for each metric of the training curve.
        grads: The outer gradients, shape (replicate, …); None if the learner returned
            new weights themselves.
    """

    trees: Trees
    info: Weights
    grads: Weights | None


# The trees, the tasks of a meta-step as the learner sees them, and its number.
TakeStep = Callable[[Trees, TaskBatch, int], StepResult]


@dataclass(frozen=True)
class OuterStep:
    """Takes the meta-steps of one learner.

    Args:
        context: The run.
        entry: The learner.
        plan: How many steps it takes.
        compile_gradient: As in `OuterStepContext`.
    """

    context: RunContext
    entry: LearnerEntry
    plan: Plan
    compile_gradient: Compile = run_eagerly

    def __call__(self, trees: Trees, tasks: TaskBatch, step: int) -> StepResult:
        """Return the result of a meta-step; see `TakeStep`."""
        segments = self.plan.segments
        step_context = OuterStepContext(
            step,
            step % segments,
            segments,
            self.context.streams("train", step),
            self.share_done(step),
            self.compile_gradient,
        )
        meta = Meta(trees["weights"], trees["memory"])
        outer = self.entry.learner.outer(
            meta, tasks, step_context, self.context.estimator
        )
        return apply_outer(self.context.outer, trees, outer, self.share_done(step))

    def share_done(self, step: int) -> float:
        """Return the share of meta-training that is over before a step."""
        return step / max(1, self.plan.steps)


def apply_outer(
    rule: OuterRule, trees: Trees, outer: Outer, done: float | Tensor
) -> StepResult:
    """Update the trees by what a learner returned.

    Args:
        rule: Turns gradients into an update.
        trees: Those before the step.
        outer: Gradients, or new weights themselves.
        done: Share of meta-training that is over, from 0 to 1.
    """
    weights, state, info = trees["weights"], trees["outer"], dict(outer.info)
    if outer.grads is not None:
        info["outer_grad_norm"] = replicate_norm(outer.grads)
        weights, state = rule.step(weights, outer.grads, state, done)
    elif outer.weights is not None:
        weights = outer.weights
    # Running statistics are no outcome of a gradient: they replace the old ones.
    weights = weights | (outer.statistics or {})
    after = trees | {"weights": weights, "memory": outer.memory, "outer": state}
    return StepResult(after, info, outer.grads)
