"""A warm start: a search that begins with what a knowledge base calls good.

Perhaps with a gate: the first evaluations are of known architectures from good to
bad, and where the new task does not rank them as the base does, the rest of the warm
start is dropped.
"""

from typing import NamedTuple

import numpy as np

from engine.algorithms.search.evolution import Evolution, Population, empty_population
from engine.algorithms.search.knowledge.base import Base
from engine.algorithms.search.knowledge.queries import (
    Ranked,
    fitting,
    probes_of,
    ranked,
    similarity,
)
from engine.algorithms.search.proposals import fresh
from engine.protocol import Asked, Spaces, Told

FEWEST = 3  # probes; below that a correlation says nothing
Numbers = np.ndarray


class Start(NamedTuple):
    """What is trained first; arrays lead with the member.

    Args:
        trusted: Probes, then what is known to be good, then random architectures.
        doubted: Probes, then random architectures.
        expected: Standing of each probe, NaN where there is none.
    """

    trusted: Numbers
    doubted: Numbers
    expected: Numbers


class Warm(NamedTuple):
    """A warm search under way.

    `first` is what it trains first, `seen` the values of its probes, and `agrees`
    Spearman's correlation of the probes with the base, NaN until it is known.
    """

    population: Population
    first: Numbers
    seen: Numbers
    agrees: Numbers


def warm_start(
    base: Base, tasks: Spaces, seeds: int, population: int, probes: int = 0
) -> Start:
    """Choose what each search trains first.

    Args:
        base: One row per replicate.
        tasks: What is searched: entries that do not fit into it are skipped.
        seeds: How many good architectures are taken over.
        population: How many are trained before evolution begins, at least.
        probes: How many known architectures are tried first; 0 for none.
    """
    plan = fresh(tasks)
    each = tasks.members // len(base.seen)
    long = min(max(population, probes + seeds), tasks.horizon)
    trusted, doubted = plan[:, :long].copy(), plan[:, :long].copy()
    expected = np.full((tasks.members, probes), np.nan)
    for r in range(len(base.seen)):
        mine = slice(r * each, (r + 1) * each)
        known = fitting(tasks, ranked(base, r))
        tried, good = _chosen(known, seeds, probes)
        expected[mine, : len(tried.score)] = tried.score
        for first, led in ((trusted, [tried.codes, good]), (doubted, [tried.codes])):
            lead = np.concatenate(led)[:long]
            first[mine, : len(lead)] = lead
            first[mine, len(lead) :] = plan[mine, : long - len(lead)]
    return Start(trusted, doubted, expected)


def _chosen(known: Ranked, seeds: int, probes: int) -> tuple[Ranked, Numbers]:
    """Return the probes, and the best that are not among them already."""
    if not probes or len(known.score) < FEWEST:
        return Ranked(known.codes[:0], known.score[:0]), known.codes[:seeds]
    tried = probes_of(known, probes)
    again = (known.codes[:, None] == tried.codes).all(-1).any(1)
    return tried, known.codes[~again][:seeds]


def begun(tasks: Spaces, start: Start, population: int) -> Warm:
    """Return the state before the first evaluation."""
    return Warm(
        empty_population(tasks, population),
        start.trusted,
        np.full_like(start.expected, np.nan),
        np.full(tasks.members, np.nan),
    )


def asked(tasks: Spaces, evolution: Evolution, step: int, state: Warm) -> Asked:
    """Train the start, then evolve."""
    return evolution._replace(first=state.first).ask(tasks, step, state.population)


def told_of(
    start: Start, gate: float, evolution: Evolution, state: Warm, told: Told
) -> Warm:
    """Let the population live on; after the last probe decide whether to trust."""
    population = evolution.tell(state.population, told)
    step, probes = told.step, start.expected.shape[1]
    if step >= probes:
        return state._replace(population=population)
    seen, agrees, first = state.seen.copy(), state.agrees.copy(), state.first.copy()
    seen[:, step] = told.value
    due = np.isfinite(start.expected).sum(1) == step + 1
    if due.any():
        upto = slice(0, step + 1)
        agrees[due] = similarity(start.expected[due, upto], seen[due, upto])
        shut = due & (agrees < gate)
        first[shut] = start.doubted[shut]
    return Warm(population, first, seen, agrees)
