"""Shapes of paired differences with a mean of 0; each returns (run, replicate, task).

`units_of` averages them over the tasks: a replicate's mean difference is one unit.
"""

from functools import cache

import numpy as np

from engine.stats.array_types import Bools, Floats

REPLICATES, TASKS = 64, 8
MOST_TIME, HARD, NARROW = 100.0, 1.0, 0.4  # horizon, and spreads of the log times

Draw = np.random.Generator


def normal(draw: Draw, runs: int) -> Floats:
    """Normal differences, over replicates and over tasks."""
    return _normal(draw, runs, 1) + _normal(draw, runs, TASKS)


def skewed_tasks(draw: Draw, runs: int) -> Floats:
    """Log-normal differences over tasks."""
    return draw.lognormal(0, 1, (runs, REPLICATES, TASKS)) - np.exp(0.5)


def very_skewed_tasks(draw: Draw, runs: int) -> Floats:
    """Log-normal differences over tasks with σ = 1.5."""
    return draw.lognormal(0, 1.5, (runs, REPLICATES, TASKS)) - np.exp(1.125)


def skewed_replicates(draw: Draw, runs: int) -> Floats:
    """Log-normal differences over replicates."""
    shared = draw.lognormal(0, 1, (runs, REPLICATES, 1)) - np.exp(0.5)
    return shared + 0.5 * _normal(draw, runs, TASKS)


def pareto_replicates(draw: Draw, runs: int) -> Floats:
    """Pareto differences over replicates, of index 3: no third moment."""
    return draw.pareto(3, (runs, REPLICATES, 1)) - 0.5


def failing_replicate(draw: Draw, runs: int) -> Floats:
    """One replicate in twelve fails by 12 standard deviations."""
    failed = draw.random((runs, REPLICATES, 1)) < 1 / 12
    noise = _normal(draw, runs, 1) + 0.5 * _normal(draw, runs, TASKS)
    return 12.0 * failed - 1.0 + noise


def censored_times(draw: Draw, runs: int) -> Floats:
    """Censored times of equal mean, those of one learner with heavy tails."""
    return _times(draw, runs, HARD) - _times(draw, runs, NARROW) - _times_apart()


def one_diverges(draw: Draw, runs: int) -> Floats:
    """Capped log losses; one learner diverges on 2 % of the tasks, by 10."""
    return 10.0 * _diverged(draw, runs) - 0.2 + _loss_noise(draw, runs)


def both_diverge(draw: Draw, runs: int) -> Floats:
    """Capped log losses; both diverge on 2 % of the tasks."""
    lost = _diverged(draw, runs) - 1.0 * _diverged(draw, runs)
    return 10.0 * lost + _loss_noise(draw, runs)


def _normal(draw: Draw, runs: int, tasks: int) -> Floats:
    return draw.standard_normal((runs, REPLICATES, tasks))


def _diverged(draw: Draw, runs: int) -> Bools:
    return draw.random((runs, REPLICATES, TASKS)) < 0.02


def _loss_noise(draw: Draw, runs: int) -> Floats:
    return 0.3 * _normal(draw, runs, 1) + 0.7 * _normal(draw, runs, TASKS)


def _times(draw: Draw, runs: int, spread: float) -> Floats:
    shared = 0.3 * _normal(draw, runs, 1)
    times = np.exp(3.5 + spread * _normal(draw, runs, TASKS) + shared)
    return np.minimum(np.ceil(times), MOST_TIME)


@cache
def _times_apart() -> float:
    """Return how far the two censored means lie apart, to be taken off."""
    draw = np.random.default_rng(0)
    return float(
        _times(draw, 20_000, HARD).mean() - _times(draw, 20_000, NARROW).mean()
    )


SHAPES = {
    shape.__name__: shape
    for shape in (
        normal,
        skewed_tasks,
        very_skewed_tasks,
        skewed_replicates,
        pareto_replicates,
        failing_replicate,
        censored_times,
        one_diverges,
        both_diverge,
    )
}


def units_of(name: str, runs: int, difference: float = 0.0, seed: int = 7) -> Floats:
    """Return replicate means, shifted by so many standard deviations; (run, unit)."""
    draw = np.random.default_rng(seed)
    means = SHAPES[name](draw, runs).mean(2)
    return np.asarray(means + difference * means.std())
