"""Successive halving as a plan: how many are trained how long, and who goes on.

Source: Jamieson and Talwalkar (2016), arXiv:1502.07943; Li et al. (2018),
arXiv:1603.06560, algorithm 1.
Differs: lengths are those that the space was trained for, thinned until each is at
least η times the one before; whoever goes on is trained from scratch, and that is
its price.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from engine.algorithms.search.proposals import random_order as random_order
from engine.algorithms.search.search_loop import StepMetrics, run_search
from engine.protocol import Evaluation, Proposal, SearchBatch, TraceSegment

Numbers = np.ndarray


class Rung(NamedTuple):
    """One round: how many architectures are trained, to which fidelity."""

    size: int
    fidelity: int


class ScheduledTraining(NamedTuple):
    """What one evaluation is.

    `start` is where its round begins; `previous_rung` where the round that it chooses
    from begins and how long that is, None where architectures are new; `rank` its place
    in the round; `new_index` how many new ones were proposed before it.
    """

    fidelity: int
    start: int
    previous_rung: tuple[int, int] | None
    rank: int
    new_index: int


def fidelity_ladder(fidelities: Sequence[float], eta: float) -> tuple[int, ...]:
    """Return fidelities, by place, from the last down, η times apart; ascending.

    >>> fidelity_ladder((1, 2, 3, 5, 9), 3)
    (0, 2, 4)
    """
    kept = [len(fidelities) - 1]
    for place in reversed(range(len(fidelities))):
        if fidelities[place] * eta <= fidelities[kept[-1]] * (1 + 1e-9):
            kept.append(place)
    return tuple(reversed(kept))


def rungs(count: int, steps: Sequence[int], eta: float) -> tuple[Rung, ...]:
    """Return the rounds of one halving: ⌊n η⁻ⁱ⌋ architectures in the i-th.

    >>> [rung.size for rung in rungs(81, range(5), 3)]
    [81, 27, 9, 3, 1]
    """
    sizes = [math.floor(count * eta**-i + 1e-9) for i in range(len(steps))]
    return tuple(Rung(max(1, n), f) for n, f in zip(sizes, steps, strict=True))


def brackets(steps: Sequence[int], eta: float) -> tuple[tuple[Rung, ...], ...]:
    """Return Hyperband's halvings, the one that halves most often first.

    With s + 1 rounds of s_max + 1, n = ⌈(s_max + 1) ηˢ / (s + 1)⌉ begin.
    """
    most = len(steps)
    found = []
    for rounds in range(most, 0, -1):
        count = math.ceil(most * eta ** (rounds - 1) / rounds - 1e-9)
        found.append(rungs(count, steps[most - rounds :], eta))
    return tuple(found)


def halving_schedule(
    halvings: Sequence[Sequence[Rung]], horizon: int
) -> list[ScheduledTraining]:
    """Say what each evaluation is; halvings follow each other until the horizon."""
    turns: list[ScheduledTraining] = []
    fresh = number = 0
    while len(turns) < horizon:
        pool = None
        for rung in halvings[number % len(halvings)]:
            start = len(turns)
            for slot in range(rung.size):
                turns.append(ScheduledTraining(rung.fidelity, start, pool, slot, fresh))
                fresh += pool is None
            pool = (start, rung.size)
        number += 1
    return turns[:horizon]


class HalvingState(NamedTuple):
    """What was trained; shape (member, evaluation, …). Untrained have −inf."""

    codes: Numbers
    value: Numbers


def empty_halving(tasks: SearchBatch) -> HalvingState:
    """Return a halving that has trained nothing."""
    shape = (tasks.members, tasks.horizon)
    empty = np.zeros((*shape, len(tasks.space.radix)), np.int64)
    return HalvingState(empty, np.full(shape, -np.inf))


def propose_training(
    turn: ScheduledTraining, state: HalvingState, fresh: Numbers
) -> Proposal:
    """Return a new architecture, or one of the best of the round before.

    Args:
        turn: Which evaluation this is.
        state: What was trained so far.
        fresh: New architectures in order; shape (member, item, position).
    """
    members = len(state.value)
    fidelity = np.full(members, turn.fidelity)
    if turn.previous_rung is None:
        return Proposal(fresh[:, turn.new_index], fidelity)
    first, size = turn.previous_rung
    order = np.argsort(-state.value[:, first : first + size], 1, kind="stable")
    place = first + order[:, turn.rank]
    return Proposal(state.codes[np.arange(members), place], fidelity)


def record_training(state: HalvingState, evaluation: Evaluation) -> HalvingState:
    """Write down what was trained."""
    codes, value = state.codes.copy(), state.value.copy()
    codes[:, evaluation.step] = evaluation.codes
    value[:, evaluation.step] = np.where(evaluation.live, evaluation.value, -np.inf)
    return HalvingState(codes, value)


def run_halvings(
    tasks: SearchBatch, halvings: Sequence[Sequence[Rung]], *, path: bool
) -> Iterator[TraceSegment]:
    """Search by one halving after the other, again and again.

    Args:
        tasks: One search per member.
        halvings: The rounds of each, by fidelities that `fidelity_ladder` gives.
        path: As `explore` takes it.
    """
    turns, new = halving_schedule(halvings, tasks.horizon), random_order(tasks)

    def ask(step: int, state: HalvingState) -> Proposal:
        return propose_training(turns[step], state, new)

    def tell(
        state: HalvingState, evaluation: Evaluation
    ) -> tuple[HalvingState, StepMetrics]:
        return record_training(state, evaluation), {}

    yield from run_search(tasks, empty_halving(tasks), ask, tell, path=path)


def fidelity_steps(tasks: SearchBatch, eta: float) -> tuple[int, ...]:
    """Return the fidelities that a search goes up by, by place."""
    return fidelity_ladder(tasks.evaluator.fidelities[: tasks.full_fidelity + 1], eta)


def why_not_shortened(tasks: SearchBatch, eta: float) -> str | None:
    """Return the reason why trainings cannot be cut short; None if they can."""
    lengths = tasks.evaluator.fidelities[: tasks.full_fidelity + 1]
    if len(fidelity_ladder(lengths, eta)) > 1:
        return None
    unit = tasks.evaluator.fidelity_unit
    return (
        f"it needs trainings of two lengths at least {eta:g} times apart, and here "
        f"there are only: {', '.join(f'{length:g}' for length in lengths)} {unit}"
    )
