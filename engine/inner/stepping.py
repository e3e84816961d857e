"""Inner steps on the support, batched over members: the heart of MAML's family."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from engine.protocol import Episodes, Prediction, Weights

# Inner step, weights and gradients (of the moving ones) → the moving ones after it.
Rule = Callable[[int, Weights, Weights], Weights]


class Inner(NamedTuple):
    """Where adaptation is after some inner steps.

    `support` is the loss on the support there, shape (member,), and `grads` its
    gradient; None after the last step, where neither is needed.
    """

    step: int
    weights: Weights
    support: Tensor | None
    grads: Weights | None


def sgd(rate: float) -> Rule:
    """Return plain gradient descent at one rate."""

    def rule(step: int, weights: Weights, grads: Weights) -> Weights:
        return {name: weights[name] - rate * grad for name, grad in grads.items()}

    return rule


def inner_steps(
    tasks: Episodes,
    theta: Weights,
    rule: Rule,
    steps: int,
    *,
    order: int = 0,
    names: Sequence[str] | None = None,
) -> Iterator[Inner]:
    """Adapt every member to its support.

    Args:
        tasks: The episodes.
        theta: Weights of each member; shape (member, …).
        rule: How the moving weights follow their gradient.
        steps: How many inner steps.
        order: 0 keeps no graph; 1 lets later losses be differentiated in θ with the
            inner gradients taken as given; 2 differentiates these, too.
        names: The weights that move; by default all but those that rest, such as
            running statistics.

    Yields:
        The state after 0, 1, …, `steps` inner steps.
    """
    resting = tasks.layout.resting
    moving = [name for name in theta if name not in resting]
    moving = moving if names is None else list(names)
    weights = dict(theta)
    for step in range(steps):
        if not order:
            weights |= {name: weights[name].detach() for name in moving}
        weights |= {
            name: weights[name]
            if weights[name].requires_grad
            else weights[name].requires_grad_()
            for name in moving
        }
        loss = tasks.loss(weights, tasks.support, step)
        found = torch.autograd.grad(
            loss.sum(),
            [weights[name] for name in moving],
            create_graph=order == 2,
            materialize_grads=True,
        )
        grads = dict(zip(moving, found, strict=True))
        yield Inner(step, weights, loss, grads)
        weights = weights | rule(step, weights, grads)
    yield Inner(steps, weights, None, None)


def adapted(
    tasks: Episodes, theta: Weights, rule: Rule, steps: int, **how: object
) -> Weights:
    """Return the weights after the last inner step; see `inner_steps`."""
    *_, last = inner_steps(tasks, theta, rule, steps, **how)  # type: ignore[arg-type]
    return last.weights


def predictions(
    tasks: Episodes, theta: Weights, inner: Iterator[Inner]
) -> Iterator[Prediction]:
    """Answer the queries after each inner step, keeping no graph.

    Args:
        tasks: The episodes.
        theta: Where adaptation began.
        inner: As `inner_steps` yields, with order 0.
    """
    layers = tasks.layout.layers
    for at in inner:
        weights = {name: value.detach() for name, value in at.weights.items()}
        curved = None if at.grads is None else layer_norms(at.grads, layers)
        yield Prediction(
            at.step,
            tasks.answer(weights, tasks.query, at.step),
            None if at.support is None else at.support.detach(),
            distance(weights, theta),
            curved,
        )


def distance(weights: Weights, theta: Weights) -> Tensor:
    """Return the L2 distance of each member's weights; shape (member,)."""
    squares = [
        (weights[name] - theta[name]).detach().flatten(1).square().sum(1)
        for name in theta
    ]
    return torch.stack(squares).sum(0).sqrt()


def layer_norms(grads: Weights, layers: Sequence[Sequence[str]]) -> Tensor:
    """Return the gradient's norm by layer; shape (member, layer); 0 where it rests."""
    first = next(iter(grads.values()))
    rest = first.new_zeros(len(first))
    norms = [
        sum(
            (grads[n].detach().flatten(1).square().sum(1) for n in layer if n in grads),
            rest,
        ).sqrt()
        for layer in layers
    ]
    return torch.stack(norms, 1)
