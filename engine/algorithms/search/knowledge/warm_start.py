"""Warm start: begin a search with the best architectures of a knowledge base.

With a gate, the first evaluations probe known architectures from good to bad; if the
new task does not rank them as the base does, the rest of the warm start is dropped.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from engine.algorithms.search.evolution import Evolution, Population, empty_population
from engine.algorithms.search.knowledge.knowledge_base import KnowledgeBase
from engine.algorithms.search.knowledge.queries import (
    RankedArchitectures,
    choose_probes,
    rank_architectures,
    restrict_to_space,
    task_similarity,
)
from engine.algorithms.search.proposals import random_order
from engine.protocol import Evaluation, Proposal, SearchBatch

FEWEST = 3  # probes; a correlation over fewer is meaningless


class WarmStart(NamedTuple):
    """The first architectures of each search; arrays lead with the member.

    Args:
        trusted: Probes, then the best known, then random architectures; shape
            (member, step, position).
        doubted: Probes, then random architectures; same shape.
        expected: Score of each probe, NaN where there is none; shape (member, probe).
    """

    trusted: Int[np.ndarray, "member step position"]
    doubted: Int[np.ndarray, "member step position"]
    expected: Float[np.ndarray, "member probe"]


class WarmState(NamedTuple):
    """State of a warm-started search.

    Args:
        population: The population of evolution.
        first: Architectures trained first; shape (member, step, position).
        probe_scores: Values of the probes; shape (member, probe).
        agreement: Spearman's correlation of the probes with the base, NaN until it is
            known; shape (member,).
    """

    population: Population
    first: Int[np.ndarray, "member step position"]
    probe_scores: Float[np.ndarray, "member probe"]
    agreement: Float[np.ndarray, " member"]


def warm_start(
    base: KnowledgeBase,
    tasks: SearchBatch,
    seeds: int,
    population: int,
    probes: int = 0,
) -> WarmStart:
    """Choose the first architectures of each search.

    Args:
        base: One row per replicate.
        tasks: One search per member; entries outside the searched space are skipped.
        seeds: Number of best known architectures to train.
        population: Least number of trainings before evolution begins.
        probes: Number of known architectures to probe first; 0 for none.
    """
    plan = random_order(tasks)
    each = tasks.members // len(base.seen)
    long = min(max(population, probes + seeds), tasks.horizon)
    trusted, doubted = plan[:, :long].copy(), plan[:, :long].copy()
    expected = np.full((tasks.members, probes), np.nan)
    for r in range(len(base.seen)):
        mine = slice(r * each, (r + 1) * each)
        known = restrict_to_space(tasks, rank_architectures(base, r))
        tried, good = _choose_probes(known, seeds, probes)
        expected[mine, : len(tried.score)] = tried.score
        for first, led in ((trusted, [tried.codes, good]), (doubted, [tried.codes])):
            lead = np.concatenate(led)[:long]
            first[mine, : len(lead)] = lead
            first[mine, len(lead) :] = plan[mine, : long - len(lead)]
    return WarmStart(trusted, doubted, expected)


def _choose_probes(
    known: RankedArchitectures, seeds: int, probes: int
) -> tuple[RankedArchitectures, Int[np.ndarray, "seed position"]]:
    """Return the probes, and the best architectures that are not among them."""
    if not probes or len(known.score) < FEWEST:
        return RankedArchitectures(known.codes[:0], known.score[:0]), known.codes[
            :seeds
        ]
    tried = choose_probes(known, probes)
    again = (known.codes[:, None] == tried.codes).all(-1).any(1)
    return tried, known.codes[~again][:seeds]


def start_warm_search(
    tasks: SearchBatch, start: WarmStart, population: int
) -> WarmState:
    """Return the state before the first evaluation."""
    return WarmState(
        empty_population(tasks, population),
        start.trusted,
        np.full_like(start.expected, np.nan),
        np.full(tasks.members, np.nan),
    )


def propose_warm(
    tasks: SearchBatch, evolution: Evolution, step: int, state: WarmState
) -> Proposal:
    """Propose the first architectures, then those of evolution."""
    return evolution._replace(first=state.first).ask(tasks, step, state.population)


def update_warm_state(
    start: WarmStart,
    gate: float,
    evolution: Evolution,
    state: WarmState,
    evaluation: Evaluation,
) -> WarmState:
    """Update the population; after the last probe decide whether to trust the base.

    Args:
        start: The first architectures.
        gate: Least correlation of the probes with the base.
        evolution: The rules of the population.
        state: The search; it is not changed.
        evaluation: What was just trained.
    """
    population = evolution.tell(state.population, evaluation)
    step, probes = evaluation.step, start.expected.shape[1]
    if step >= probes:
        return state._replace(population=population)
    seen, agrees, first = (
        state.probe_scores.copy(),
        state.agreement.copy(),
        state.first.copy(),
    )
    seen[:, step] = evaluation.value
    due = np.isfinite(start.expected).sum(1) == step + 1
    if due.any():
        upto = slice(0, step + 1)
        agrees[due] = task_similarity(start.expected[due, upto], seen[due, upto])
        shut = due & (agrees < gate)
        first[shut] = start.doubted[shut]
    return WarmState(population, first, seen, agrees)
