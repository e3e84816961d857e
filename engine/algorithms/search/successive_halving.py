"""Successive halving and Hyperband as fixed schedules of trainings.

Source: Jamieson and Talwalkar (2016), arXiv:1502.07943; Li et al. (2018),
arXiv:1603.06560, algorithm 1.
Differs: the fidelities are those of the space, thinned until each is at least η times
the one before; promoted architectures are trained from scratch, at full price.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from engine.algorithms.search.proposals import random_order
from engine.algorithms.search.search_loop import StepMetrics, run_search
from engine.protocol import Evaluation, Proposal, SearchBatch, TraceSegment


class Rung(NamedTuple):
    """One rung: number of architectures, and the fidelity they are trained to."""

    size: int
    fidelity: int


class ScheduledTraining(NamedTuple):
    """One evaluation of a schedule.

    Args:
        fidelity: Index of the fidelity.
        start: First evaluation of its rung.
        previous_rung: First evaluation and size of the rung that it promotes from;
            None if it trains a new architecture.
        rank: Position within the rung.
        new_index: New architectures proposed before it.
    """

    fidelity: int
    start: int
    previous_rung: tuple[int, int] | None
    rank: int
    new_index: int


def fidelity_ladder(fidelities: Sequence[float], eta: float) -> tuple[int, ...]:
    """Return indices of fidelities at least η times apart, the last one included.

    Args:
        fidelities: Ascending.
        eta: η, the reduction factor.

    Returns:
        Indices into `fidelities`, ascending.

    >>> fidelity_ladder((1, 2, 3, 5, 9), 3)
    (0, 2, 4)
    """
    kept = [len(fidelities) - 1]
    for place in reversed(range(len(fidelities))):
        # Tolerance: fidelities that are η apart may round to slightly less.
        if fidelities[place] * eta <= fidelities[kept[-1]] * (1 + 1e-9):
            kept.append(place)
    return tuple(reversed(kept))


def rungs(count: int, steps: Sequence[int], eta: float) -> tuple[Rung, ...]:
    """Return the rungs of one bracket: ⌊n η⁻ⁱ⌋ architectures in the i-th.

    Args:
        count: n, architectures of the first rung.
        steps: Index of each rung's fidelity.
        eta: η, the reduction factor.

    >>> [rung.size for rung in rungs(81, range(5), 3)]
    [81, 27, 9, 3, 1]
    """
    # Tolerance: n η⁻ⁱ may round to just below a whole number.
    sizes = [math.floor(count * eta**-i + 1e-9) for i in range(len(steps))]
    return tuple(Rung(max(1, n), f) for n, f in zip(sizes, steps, strict=True))


def brackets(steps: Sequence[int], eta: float) -> tuple[tuple[Rung, ...], ...]:
    """Return Hyperband's brackets, the one with the most rungs first.

    A bracket with s + 1 rungs starts with n = ⌈(s_max + 1) ηˢ / (s + 1)⌉ architectures.

    Args:
        steps: Indices of the fidelities, ascending.
        eta: η, the reduction factor.
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
    """Return the evaluations of a search; brackets repeat until the horizon.

    Args:
        halvings: Rungs of each bracket.
        horizon: Number of evaluations; the last bracket is cut there.
    """
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
    """Architectures trained and their values; −inf where nothing was trained."""

    codes: Int[np.ndarray, "member evaluation position"]
    value: Float[np.ndarray, "member evaluation"]


def empty_halving(tasks: SearchBatch) -> HalvingState:
    """Return the state before the first evaluation."""
    shape = (tasks.members, tasks.horizon)
    empty = np.zeros((*shape, len(tasks.space.radix)), np.int64)
    return HalvingState(empty, np.full(shape, -np.inf))


def propose_training(
    turn: ScheduledTraining,
    state: HalvingState,
    fresh: Int[np.ndarray, "member item position"],
) -> Proposal:
    """Propose a new architecture, or promote one of the best of the previous rung.

    Args:
        turn: The evaluation, from the schedule.
        state: Everything trained so far.
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
    """Return the state with an evaluation recorded."""
    codes, value = state.codes.copy(), state.value.copy()
    codes[:, evaluation.step] = evaluation.codes
    value[:, evaluation.step] = np.where(evaluation.live, evaluation.value, -np.inf)
    return HalvingState(codes, value)


def run_halvings(
    tasks: SearchBatch, halvings: Sequence[Sequence[Rung]], *, path: bool
) -> Iterator[TraceSegment]:
    """Search by successive halving, one bracket after the other.

    Args:
        tasks: One search per member.
        halvings: Rungs of each bracket, at fidelities of `fidelity_ladder`.
        path: As `run_search` takes it.
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
    """Return the fidelity indices of the rungs, up to the full fidelity."""
    return fidelity_ladder(tasks.evaluator.fidelities[: tasks.full_fidelity + 1], eta)


def why_not_shortened(tasks: SearchBatch, eta: float) -> str | None:
    """Return the reason why early stopping is impossible; None if it is possible."""
    lengths = tasks.evaluator.fidelities[: tasks.full_fidelity + 1]
    if len(fidelity_ladder(lengths, eta)) > 1:
        return None
    unit = tasks.evaluator.fidelity_unit
    return (
        f"it needs two training lengths at least {eta:g} times apart; this space has "
        f"only: {', '.join(f'{length:g}' for length in lengths)} {unit}"
    )
