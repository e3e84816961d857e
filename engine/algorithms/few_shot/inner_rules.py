"""Update rules of the inner loop: SGD, SGD with tensors of rates, masks, Adam."""

from collections.abc import Callable

import torch

from engine.protocol import Weights, square_root

# Inner step, weights, gradients of the adapted weights → these weights after the step.
InnerRule = Callable[[int, Weights, Weights], Weights]


def sgd(rate: float, clip: float = 0.0) -> InnerRule:
    """Return plain gradient descent with one learning rate.

    Args:
        rate: Learning rate.
        clip: Largest absolute value of a gradient entry; 0 disables clipping.
    """

    def rule(step: int, weights: Weights, grads: Weights) -> Weights:
        return {
            name: torch.add(weights[name], grad, alpha=-rate)
            for name, grad in clip_gradients(grads, clip).items()
        }

    return rule


def sgd_with_rates(rates: Callable[[int], Weights], clip: float = 0.0) -> InnerRule:
    """Return gradient descent with tensors of rates, per member, layer or weight.

    Args:
        rates: Inner step → rates by the weight's name; must broadcast to the weight.
        clip: Largest absolute value of a gradient entry; 0 disables clipping.
    """

    def rule(step: int, weights: Weights, grads: Weights) -> Weights:
        now = rates(step)
        return {
            name: torch.addcmul(weights[name], now[name], grad, value=-1.0)
            for name, grad in clip_gradients(grads, clip).items()
        }

    return rule


def with_masks(rule: InnerRule, masks: Weights) -> InnerRule:
    """Return a rule that sees gradients multiplied by masks.

    Args:
        rule: The rule.
        masks: By the weight's name, for those that have one; must broadcast to it.
    """

    def masked_step(step: int, weights: Weights, grads: Weights) -> Weights:
        scaled = {n: g * masks[n] if n in masks else g for n, g in grads.items()}
        return rule(step, weights, scaled)

    return masked_step


def adam_without_momentum(
    rate: float, clip: float = 0.0, decay: float = 0.999
) -> InnerRule:
    """Return Adam without momentum (β₁ = 0).

    The rule keeps the mean squares itself, so each adaptation needs a new one.

    Args:
        rate: Learning rate.
        clip: Largest absolute value of a gradient entry; 0 disables clipping.
        decay: β₂, the decay of the mean square.
    """
    squares: Weights = {}

    def rule(step: int, weights: Weights, grads: Weights) -> Weights:
        after, seen = {}, 1 - decay ** (step + 1)
        for name, grad in clip_gradients(grads, clip).items():
            # Not `adam_step`: correcting the bias under the root rounds differently.
            past = squares.get(name, torch.zeros_like(grad))
            squares[name] = torch.lerp(past, grad.square(), 1 - decay)
            root = square_root(squares[name] / seen) + 1e-8
            after[name] = weights[name] - rate * grad / root
        return after

    return rule


def clip_gradients(grads: Weights, limit: float) -> Weights:
    """Clamp each gradient entry to ±limit; a limit of 0 disables clipping."""
    if not limit:
        return grads
    return {name: grad.clamp(-limit, limit) for name, grad in grads.items()}
