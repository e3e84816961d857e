"""The inner training loop, the same for hand-designed and learned optimizers."""

from collections.abc import Iterator

import torch
from torch import Tensor

from engine.algorithms.optimization.update_checks import check_update
from engine.kernels.trainings import Span, TrainedSpan
from engine.protocol import (
    OptimizationBatch,
    OptimizerInput,
    TraceSegment,
    UpdateRule,
    Weights,
)

STEPS_PER_SEGMENT = 25  # how often a run can be shown, or cancelled
FLOOR, CEILING = 1e-4, 1e2  # beyond them, one task would dominate the mean log loss


def objective(loss: Tensor) -> Tensor:
    """Return ln(loss), clamped to [ln 1e-4, ln 1e2]; NaN and ∞ count as the worst.

    Args:
        loss: Any shape, which the result has, too.

    >>> objective(torch.tensor([1.0, torch.nan])).tolist()
    [0.0, 4.605170249938965]
    """
    return torch.where(loss.isfinite(), loss, CEILING).clamp(FLOOR, CEILING).log()


def optimizer_input(
    tasks: OptimizationBatch, weights: Tensor, step: int, order: int = 0
) -> OptimizerInput:
    """Evaluate loss and gradient as the input of an optimizer's step.

    Args:
        tasks: The tasks.
        weights: Shape (member, weight).
        step: The inner step, from 0 on; selects the minibatch.
        order: 0 keeps no graph; 1 one of the loss; 2 one of the gradient, too.
    """
    loss, grad, norm = tasks.gradient(weights, step, order=order)
    return OptimizerInput(step, tasks.horizon, loss, grad, norm, weights)


def run_training(
    tasks: OptimizationBatch,
    rule: UpdateRule,
    *,
    path: bool = False,
    learner: str = "optimizer",
) -> Iterator[TraceSegment]:
    """Train every member to the horizon.

    Args:
        tasks: The base learners to train.
        rule: The optimizer; the first axis of its parameters is the member.
        path: Whether to keep the weights of every step.
        learner: Name of the optimizer, for errors.

    Yields:
        Traces of up to 25 steps at a time: in total of steps 0 to T (T + 1 values), and
        of the T updates between them.

    Raises:
        Refused: If the rule returns an update of another shape than the weights.
    """
    weights = tasks.start()
    state = rule.start(weights)
    for first in range(0, tasks.horizon + 1, STEPS_PER_SEGMENT):
        left = tasks.horizon + 1 - first
        # The last step has no update.
        span = Span(
            first, min(STEPS_PER_SEGMENT, left), min(STEPS_PER_SEGMENT, left - 1)
        )
        done = None if path else tasks.train(rule, weights, state, span)
        places: list[Tensor] | None = [] if path else None
        if done is None:
            rule_of = (learner, rule)
            done = _train_stepwise(tasks, rule_of, weights, state, span, places)
        weights, state = done.weights, done.state
        yield TraceSegment(done.traces, torch.stack(places, 1) if places else None)


def _train_stepwise(
    tasks: OptimizationBatch,
    rule_of: tuple[str, UpdateRule],
    weights: Tensor,
    state: Weights,
    span: Span,
    places: list[Tensor] | None,
) -> TrainedSpan:
    """Train for some steps, one after the other.

    Args:
        tasks: As in `run_training`.
        rule_of: The optimizer's name and its rule, as there.
        weights: Before the first step; shape (member, weight).
        state: Of the rule, likewise.
        span: The steps.
        places: Each step's weights are appended, unless it is None.
    """
    rows: list[Weights] = []
    learner, rule = rule_of
    for step in range(span.first, span.first + span.steps):
        seen = optimizer_input(tasks, weights, step)
        row = _step_metrics(tasks, seen)
        if places is not None:
            places.append(weights)
        if step < span.first + span.updates:
            # Only estimators differentiate a rule; here its graph would grow for ever.
            with torch.no_grad():
                update, state, info = rule.step(seen, state)
                check_update(learner, update, weights)
                weights = weights + update
            row["update_norm"] = torch.linalg.vector_norm(update, dim=1)
            row |= {"lr_scale": info["lr_scale"]} if "lr_scale" in info else {}
        rows.append(row)
    return TrainedSpan(weights, state, _stack_rows(rows))


def _step_metrics(tasks: OptimizationBatch, seen: OptimizerInput) -> Weights:
    return {
        "loss": seen.loss,
        "grad_norm": seen.norm,
        "weight_norm": torch.linalg.vector_norm(seen.weights, dim=1),
        **tasks.measure(seen.weights, seen.step),
    }


def _stack_rows(rows: list[Weights]) -> Weights:
    names = sorted({name for row in rows for name in row})
    return {
        name: torch.stack([row[name] for row in rows if name in row], 1)
        for name in names
    }
