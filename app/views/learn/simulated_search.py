"""Searches that are simulated on a recorded table of trained architectures.

An evaluation looks one up, and may add noise to what the search sees. Many searches
run side by side, so that a hundred evaluations of each take milliseconds.
"""

from typing import NamedTuple

import numpy as np

from app.figures.figure_types import Floats, Indices


class Table(NamedTuple):
    """A space of architectures whose results are known.

    Args:
        scores: Accuracy of each architecture, shape (architecture,); its place is the
            index of its options, the last decision changing fastest.
        radix: Number of options of each decision.
    """

    scores: Floats
    radix: tuple[int, ...]


class Setting(NamedTuple):
    """How searches are run.

    Args:
        searches: How many, side by side.
        evaluations: Of each.
        noise: Standard deviation of what an evaluation adds to the accuracy.
        seed: Of all random numbers.
    """

    searches: int
    evaluations: int = 100
    noise: float = 0.0
    seed: int = 0


def random_search(table: Table, setting: Setting) -> Floats:
    """Return the regret of random searches, shape (search, evaluation)."""
    rng = np.random.default_rng((setting.seed, 0))
    shape = (setting.searches, setting.evaluations)
    tried = rng.integers(len(table.scores), size=shape)
    return _regret(table, tried, _observe(table, tried, setting))


def evolution(
    table: Table, setting: Setting, population: int = 20, sample: int = 5
) -> Floats:
    """Return the regret of regularized evolution, shape (search, evaluation).

    The first architectures are random. After them, the best of a random sample of the
    newest ones has one decision changed at random.

    Args:
        table: The space.
        setting: How searches are run.
        population: How many of the newest architectures may have offspring.
        sample: How many of those are compared.
    """
    rng = np.random.default_rng((setting.seed, 0))
    rows = np.arange(setting.searches)
    shape = (setting.searches, setting.evaluations)
    # The first ones are those of random search, so that both have the same luck.
    tried = rng.integers(len(table.scores), size=shape)
    noise = _noise(setting)
    for now in range(population, setting.evaluations):
        newest = tried[:, now - population : now]
        seen = table.scores[newest] + noise[:, now - population : now]
        among = rng.integers(population, size=(setting.searches, sample))
        best = among[rows, np.argmax(np.take_along_axis(seen, among, 1), 1)]
        tried[:, now] = _mutate(table, newest[rows, best], rng)
    return _regret(table, tried, _observe(table, tried, setting))


def _mutate(table: Table, parents: Indices, rng: np.random.Generator) -> Indices:
    """Return architectures with one decision changed to another option."""
    codes = np.array(np.unravel_index(parents, table.radix))
    rows, counts = np.arange(len(parents)), np.array(table.radix)
    where = rng.integers(len(table.radix), size=len(parents))
    # A step of 1 to n − 1 options around the circle never leads back.
    step = 1 + (rng.random(len(parents)) * (counts[where] - 1)).astype(int)
    codes[where, rows] = (codes[where, rows] + step) % counts[where]
    return np.ravel_multi_index(tuple(codes), table.radix)


def _noise(setting: Setting) -> Floats:
    rng = np.random.default_rng((setting.seed, 1))
    return setting.noise * rng.normal(size=(setting.searches, setting.evaluations))


def _observe(table: Table, tried: Indices, setting: Setting) -> Floats:
    seen: Floats = table.scores[tried] + _noise(setting)
    return seen


def _regret(table: Table, tried: Indices, seen: Floats) -> Floats:
    """Return how far the architecture that looks best so far is from the best one."""
    looks_best = seen == np.maximum.accumulate(seen, axis=1)
    places = np.where(looks_best, np.arange(seen.shape[1]), 0)
    chosen = np.take_along_axis(tried, np.maximum.accumulate(places, axis=1), axis=1)
    lost: Floats = table.scores.max() - table.scores[chosen]
    return lost
