"""Inner steps on the support, batched over members: the heart of MAML's family."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.few_shot.running_statistics import (
    BatchStatistics,
    batch_statistics,
)
from engine.protocol import EpisodeBatch, ExampleBatch, Prediction, Weights, square_root

# Inner step, weights and gradients (of the moving ones) → the moving ones after it.
InnerRule = Callable[[int, Weights, Weights], Weights]
# Weights that are adapted → those that the net is run with.
WeightTransform = Callable[[Weights], Weights]


class InnerState(NamedTuple):
    """Where adaptation is after some inner steps.

    `support` is the loss on the support there, shape (member,), and `grads` its
    gradient; None after the last step, where neither is needed.
    """

    step: int
    weights: Weights
    support_loss: Tensor | None
    grads: Weights | None


def sgd(rate: float, clip: float = 0.0) -> InnerRule:
    """Return plain gradient descent at one rate.

    Args:
        rate: Size of a step.
        clip: Largest number that a gradient may hold; 0 never clips.
    """

    def rule(step: int, weights: Weights, grads: Weights) -> Weights:
        return {
            name: torch.add(weights[name], grad, alpha=-rate)
            for name, grad in clip_gradients(grads, clip).items()
        }

    return rule


def sgd_with_rates(rates: Callable[[int], Weights], clip: float = 0.0) -> InnerRule:
    """Return descent at rates that are tensors: of each member, layer or weight.

    Args:
        rates: Inner step → the rates by weight's name; they must broadcast.
        clip: Largest number that a gradient may hold; 0 never clips.
    """

    def rule(step: int, weights: Weights, grads: Weights) -> Weights:
        now = rates(step)
        return {
            name: torch.addcmul(weights[name], now[name], grad, value=-1.0)
            for name, grad in clip_gradients(grads, clip).items()
        }

    return rule


def adam_without_momentum(
    rate: float, clip: float = 0.0, decay: float = 0.999
) -> InnerRule:
    """Return Adam without momentum (β₁ = 0), for one adaptation from step 0 on.

    Args:
        rate: Size of a step.
        clip: Largest number that a gradient may hold; 0 never clips.
        decay: How slowly the mean square forgets.
    """
    squares: Weights = {}

    def rule(step: int, weights: Weights, grads: Weights) -> Weights:
        after, seen = {}, 1 - decay ** (step + 1)
        for name, grad in clip_gradients(grads, clip).items():
            # Not `adam_step`: a correction under the root rounds otherwise.
            past = squares.get(name, torch.zeros_like(grad))
            squares[name] = torch.lerp(past, grad.square(), 1 - decay)
            root = square_root(squares[name] / seen) + 1e-8
            after[name] = weights[name] - rate * grad / root
        return after

    return rule


def clip_gradients(grads: Weights, limit: float) -> Weights:
    """Clip each number of a gradient; a limit of 0 leaves all."""
    if not limit:
        return grads
    return {name: grad.clamp(-limit, limit) for name, grad in grads.items()}


def trainable_names(tasks: EpisodeBatch) -> list[str]:
    """Name the net's weights that a gradient moves."""
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
    """Return the loss on the support, shape (member,), and its gradient.

    Args:
        tasks: The episodes.
        weights: Weights of each member; those named must require gradients.
        names: By which weights it is differentiated.
        step: Inner step that the weights are of.
        order: As in `inner_steps`.
        through: As in `inner_steps`.
    """
    seen = through(weights) if through else weights
    loss = tasks.loss(seen, tasks.support, step)
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
        rule: How the moving weights follow their gradient.
        steps: How many inner steps.
        order: 0 keeps no graph; 1 lets later losses be differentiated in θ with the
            inner gradients taken as given; 2 differentiates these, too.
        names: The weights that move; by default all of the net that a gradient can.
        through: What the net is run with, if not with the adapted weights alone.
        statistics: Where the support's statistics are noted, if the net keeps them.

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
    """Note the statistics of the support, or other shots, where a net keeps them."""
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
    """Return the loss on the queries, (member,), and note their statistics."""
    note_statistics(statistics, tasks, weights, step, tasks.query)
    return tasks.loss(weights, tasks.query, step)


def _require_grad(weight: Tensor, order: int) -> Tensor:
    """Return a weight that can be differentiated by; the start's graph is kept."""
    if not order:
        weight = weight.detach()
    return weight if weight.requires_grad else weight.requires_grad_()


def adapt_weights(
    tasks: EpisodeBatch, theta: Weights, rule: InnerRule, steps: int, **how: object
) -> Weights:
    """Return the weights after the last inner step; see `inner_steps`."""
    *_, last = inner_steps(tasks, theta, rule, steps, **how)  # type: ignore[arg-type]
    return last.weights


def predictions(
    tasks: EpisodeBatch,
    theta: Weights,
    inner: Iterator[InnerState],
    through: WeightTransform | None = None,
) -> Iterator[Prediction]:
    """Answer the queries after each inner step, keeping no graph.

    Args:
        tasks: The episodes.
        theta: Where adaptation began.
        inner: As `inner_steps` yields, with order 0.
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
    """Return the L2 distance of each member's weights; shape (member,)."""
    squares = [
        (weights[name] - theta[name]).detach().flatten(1).square().sum(1)
        for name in theta
    ]
    return square_root(torch.stack(squares).sum(0))


def layer_grad_norms(grads: Weights, layers: Sequence[Sequence[str]]) -> Tensor | None:
    """Return the gradient's norm by layer, NaN where none was taken.

    Returns:
        Shape (member, layer); none if no weight of these layers has a gradient.
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
