"""The inner loop of MAML's family: gradient steps on the support, for all members."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.few_shot.inner_rules import InnerRule
from engine.algorithms.few_shot.running_statistics import (
    BatchStatistics,
    batch_statistics,
)
from engine.protocol import EpisodeBatch, ExampleBatch, Prediction, Weights, square_root

# Adapted weights → the weights that the net runs with.
WeightTransform = Callable[[Weights], Weights]


class InnerState(NamedTuple):
    """The state of adaptation after some inner steps.

    Args:
        step: How many inner steps were taken.
        weights: The net's weights after them; shape (member, …).
        support_loss: Loss on the support at these weights, shape (member,); None
            after the last step, where it is not needed.
        grads: Its gradient by the adapted weights; None after the last step.
    """

    step: int
    weights: Weights
    support_loss: Tensor | None
    grads: Weights | None


def trainable_names(tasks: EpisodeBatch) -> list[str]:
    """Return the names of the net's weights without its buffers."""
    layout = tasks.layout
    return [name for name in layout.names if name not in layout.buffers]


def support_gradient(
    tasks: EpisodeBatch,
    weights: Weights,
    names: Sequence[str],
    *,
    step: int = 0,
    order: int = 0,
    through: WeightTransform | None = None,
) -> tuple[Tensor, Weights]:
    """Return the loss on the support and its gradient.

    Args:
        tasks: The episodes.
        weights: Weights of each member; those named must require gradients.
        names: The weights to differentiate by.
        step: The inner step; selects per-step batch statistics.
        order: As in `inner_steps`.
        through: As in `inner_steps`.

    Returns:
        The loss, shape (member,), and gradients by name, shape (member, …) each.
    """
    seen = through(weights) if through else weights
    loss = tasks.loss(seen, tasks.support, step)
    # Members are independent: the gradient of the sum holds each member's own.
    found = torch.autograd.grad(
        loss.sum(), [weights[name] for name in names], create_graph=order == 2
    )
    return loss, dict(zip(names, found, strict=True))


def inner_steps(
    tasks: EpisodeBatch,
    theta: Weights,
    rule: InnerRule,
    steps: int,
    *,
    order: int = 0,
    names: Sequence[str] | None = None,
    through: WeightTransform | None = None,
    statistics: list[BatchStatistics] | None = None,
) -> Iterator[InnerState]:
    """Adapt every member to its support.

    Args:
        tasks: The episodes.
        theta: Weights of each member; shape (member, …).
        rule: The update rule of the adapted weights.
        steps: How many inner steps.
        order: 0 keeps no graph; 1 lets later losses be differentiated by θ, with the
            inner gradients treated as constants; 2 differentiates these, too.
        names: The weights that are adapted; by default all but buffers.
        through: Maps the adapted weights to those that the net runs with, if they
            differ.
        statistics: A list that collects the support's batch statistics, if the net
            keeps running ones.

    Yields:
        The state after 0, 1, …, `steps` inner steps.
    """
    moving = trainable_names(tasks) if names is None else list(names)
    weights = dict(theta)
    for step in range(steps):
        weights |= {name: _require_grad(weights[name], order) for name in moving}
        note_statistics(
            statistics, tasks, through(weights) if through else weights, step
        )
        loss, grads = support_gradient(
            tasks, weights, moving, step=step, order=order, through=through
        )
        yield InnerState(step, weights, loss, grads)
        # Order 0 needs no graph of the update itself.
        with torch.set_grad_enabled(order > 0):
            moved = rule(step, weights, grads)
        weights = weights | moved
    yield InnerState(steps, weights, None, None)


def note_statistics(
    statistics: list[BatchStatistics] | None,
    tasks: EpisodeBatch,
    weights: Weights,
    step: int,
    shots: ExampleBatch | None = None,
) -> None:
    """Append the batch statistics of the support to `statistics`.

    Args:
        statistics: The list to append to; None collects nothing.
        tasks: The episodes.
        weights: Weights that the net runs with; shape (member, …).
        step: The inner step.
        shots: Other examples than the support.
    """
    if statistics is not None and tasks.layout.buffers:
        statistics.append(
            batch_statistics(tasks, weights, shots or tasks.support, step)
        )


def query_loss(
    tasks: EpisodeBatch,
    weights: Weights,
    step: int,
    statistics: list[BatchStatistics] | None = None,
) -> Tensor:
    """Return the loss on the queries, shape (member,), and collect their statistics."""
    note_statistics(statistics, tasks, weights, step, tasks.query)
    return tasks.loss(weights, tasks.query, step)


def _require_grad(weight: Tensor, order: int) -> Tensor:
    """Return a weight that requires gradients; keep its graph unless order is 0."""
    if not order:
        weight = weight.detach()
    return weight if weight.requires_grad else weight.requires_grad_()


def adapt_weights(
    tasks: EpisodeBatch, theta: Weights, rule: InnerRule, steps: int, **how: object
) -> Weights:
    """Return the weights after the last inner step; arguments as of `inner_steps`."""
    *_, last = inner_steps(tasks, theta, rule, steps, **how)  # type: ignore[arg-type]
    return last.weights


def predictions(
    tasks: EpisodeBatch,
    theta: Weights,
    inner: Iterator[InnerState],
    through: WeightTransform | None = None,
) -> Iterator[Prediction]:
    """Predict the queries after each inner step, keeping no graph.

    Args:
        tasks: The episodes.
        theta: The weights at the start of adaptation; shape (member, …).
        inner: What `inner_steps` yields with order 0.
        through: As in `inner_steps`.
    """
    layers = tasks.layout.layers
    for at in inner:
        weights = {name: value.detach() for name, value in at.weights.items()}
        curved = None if at.grads is None else layer_grad_norms(at.grads, layers)
        yield Prediction(
            at.step,
            tasks.answer(
                through(weights) if through else weights, tasks.query, at.step
            ),
            None if at.support_loss is None else at.support_loss.detach(),
            distance(weights, theta),
            curved,
        )


def distance(weights: Weights, theta: Weights) -> Tensor:
    """Return the L2 distance between each member's weights and its start.

    Args:
        weights: Adapted weights; shape (member, …).
        theta: The start; only its names count.

    Returns:
        Shape (member,).
    """
    squares = [
        (weights[name] - theta[name]).detach().flatten(1).square().sum(1)
        for name in theta
    ]
    return square_root(torch.stack(squares).sum(0))


def layer_grad_norms(grads: Weights, layers: Sequence[Sequence[str]]) -> Tensor | None:
    """Return the L2 norm of the gradient of each layer.

    Args:
        grads: Gradients by weight's name; shape (member, …) each.
        layers: Names of the weights of each layer.

    Returns:
        Shape (member, layer), NaN for a layer without gradients; None if no layer
        has any.
    """
    if not any(name in grads for layer in layers for name in layer):
        return None
    first = next(iter(grads.values()))
    unmeasured = first.new_full((len(first),), torch.nan)
    squares = []
    for layer in layers:
        taken = [
            grads[n].detach().flatten(1).square().sum(1) for n in layer if n in grads
        ]
        squares.append(sum(taken[1:], taken[0]) if taken else unmeasured)
    return square_root(torch.stack(squares, 1))
