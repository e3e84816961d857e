"""Quadratic valleys: gradient descent on them, and step sizes that are meta-learned.

In two dimensions a valley is L(w) = ½ (a w₁² + b w₂²); its gradient and its best step
sizes are known, so that whole meta-trainings take milliseconds.
"""

from typing import NamedTuple, Self

import numpy as np

from app.figures.figure_types import Floats

RATES = np.geomspace(0.05, 20.0, 121)  # that a constant step size is tuned over


class Valleys(NamedTuple):
    """Valleys, each with a start.

    Args:
        curvature: Shape (valley, 2).
        start: Where descent begins, shape (valley, 2).
    """

    curvature: Floats
    start: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator, count: int, stretch: float = 1.0) -> Self:
        """Return valleys with curvatures from 0.1 to 1, log-uniform.

        Args:
            rng: Random numbers.
            count: How many.
            stretch: Factor on all curvatures: a shift.
        """
        curvature = stretch * 10.0 ** rng.uniform(-1.0, 0.0, (count, 2))
        return cls(curvature, rng.normal(size=(count, 2)))


def descend(valleys: Valleys, rates: Floats) -> Floats:
    """Return where gradient descent goes.

    Args:
        valleys: Where.
        rates: Step size of each step, shape (step,).

    Returns:
        Points from the start on, shape (valley, 1 + step, 2).
    """
    # The gradient is a w₁ and b w₂, so a step multiplies each by 1 − α times its own.
    shrinks = 1.0 - rates[:, None] * valleys.curvature[:, None, :]
    first = np.ones((len(shrinks), 1, 2))
    factors = np.cumprod(np.concatenate([first, shrinks], axis=1), axis=1)
    return valleys.start[:, None, :] * factors


def losses(valleys: Valleys, points: Floats) -> Floats:
    """Return the loss at points of shape (valley, point, 2), shape (valley, point)."""
    values: Floats = 0.5 * (valleys.curvature[:, None, :] * points**2).sum(-1)
    return values


def mean_losses(valleys: Valleys, rates: Floats) -> Floats:
    """Return the mean loss over valleys after each step, shape (1 + step,)."""
    mean: Floats = losses(valleys, descend(valleys, rates)).mean(0)
    return mean


def tune_rate(valleys: Valleys, steps: int) -> float:
    """Return the constant step size with the lowest mean loss at the end."""
    ends = [mean_losses(valleys, np.full(steps, rate))[-1] for rate in RATES]
    return float(RATES[int(np.argmin(ends))])


def learn_rates(
    valleys: Valleys, steps: int, meta_steps: int, meta_rate: float = 0.03
) -> Floats:
    """Meta-learn one step size per step, by Adam on the log of the mean last loss.

    Args:
        valleys: Those of the meta-training.
        steps: Steps of descent.
        meta_steps: Updates of the step sizes.
        meta_rate: Adam's own rate.

    Returns:
        The step sizes before and after each update, shape (1 + meta_steps, steps).
    """
    logs = np.full(steps, np.log(tune_rate(valleys, steps)))
    # Equal step sizes get equal gradients, so they would stay equal.
    logs += np.linspace(0.1, -0.1, steps)
    first, second = np.zeros(steps), np.zeros(steps)
    history = [np.exp(logs)]
    for count in range(1, meta_steps + 1):
        gradient = log_loss_gradient(valleys, np.exp(logs))
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        scale = np.sqrt(second / (1 - 0.99**count)) + 1e-12
        logs = logs - meta_rate * first / (1 - 0.9**count) / scale
        history.append(np.exp(logs))
    return np.array(history)


def log_loss_gradient(valleys: Valleys, rates: Floats) -> Floats:
    """Return the gradient of ln(mean last loss) by ln(step size), shape (step,)."""
    shrinks = 1.0 - rates[:, None] * valleys.curvature[:, None, :]
    whole = shrinks.prod(axis=1)
    # Without division, since a shrink of exactly 0 is what a good step size aims at.
    others = np.stack(
        [np.delete(shrinks, step, axis=1).prod(axis=1) for step in range(len(rates))],
        axis=1,
    )
    scale = valleys.curvature * valleys.start**2
    loss = 0.5 * (scale * whole**2).sum(-1).mean()
    by_rate = (-scale * valleys.curvature * whole)[:, None, :] * others
    gradient: Floats = rates * by_rate.sum(-1).mean(0) / loss
    return gradient
