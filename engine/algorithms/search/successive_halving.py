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

from engine.algorithms.search.loop import Info, explore
from engine.algorithms.search.proposals import fresh as random_order
from engine.protocol import Asked, Spaces, Stretch, Told

Numbers = np.ndarray


class Rung(NamedTuple):
    """One round: how many architectures are trained, to which fidelity."""

    size: int
    fidelity: int


class Turn(NamedTuple):
    """What one evaluation is.

    `start` is where its round begins; `pool` where and how long the round was that
    it chooses from, None where architectures are new; `slot` its place in the round;
    `fresh` how many new ones were asked before it.
    """

    fidelity: int
    start: int
    pool: tuple[int, int] | None
    slot: int
    fresh: int


def ladder(fidelities: Sequence[float], eta: float) -> tuple[int, ...]:
    """Return fidelities, by place, from the last down, η times apart; ascending.

    >>> ladder((1, 2, 3, 5, 9), 3)
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


def timetable(halvings: Sequence[Sequence[Rung]], horizon: int) -> list[Turn]:
    """Say what each evaluation is; halvings follow each other until the horizon."""
    turns: list[Turn] = []
    fresh = number = 0
    while len(turns) < horizon:
        pool = None
        for rung in halvings[number % len(halvings)]:
            start = len(turns)
            for slot in range(rung.size):
                turns.append(Turn(rung.fidelity, start, pool, slot, fresh))
                fresh += pool is None
            pool = (start, rung.size)
        number += 1
    return turns[:horizon]


class Halving(NamedTuple):
    """What was trained; shape (member, evaluation, …). Untrained have −inf."""

    codes: Numbers
    value: Numbers


def blank(tasks: Spaces) -> Halving:
    """Return a halving that has trained nothing."""
    shape = (tasks.members, tasks.horizon)
    empty = np.zeros((*shape, len(tasks.space.radix)), np.int64)
    return Halving(empty, np.full(shape, -np.inf))


def turned_to(turn: Turn, state: Halving, fresh: Numbers) -> Asked:
    """Return a new architecture, or one of the best of the round before.

    Args:
        turn: Which evaluation this is.
        state: What was trained so far.
        fresh: New architectures in order; shape (member, item, position).
    """
    members = len(state.value)
    fidelity = np.full(members, turn.fidelity)
    if turn.pool is None:
        return Asked(fresh[:, turn.fresh], fidelity)
    first, size = turn.pool
    order = np.argsort(-state.value[:, first : first + size], 1, kind="stable")
    place = first + order[:, turn.slot]
    return Asked(state.codes[np.arange(members), place], fidelity)


def noted(state: Halving, told: Told) -> Halving:
    """Write down what was trained."""
    codes, value = state.codes.copy(), state.value.copy()
    codes[:, told.step] = told.codes
    value[:, told.step] = np.where(told.live, told.value, -np.inf)
    return Halving(codes, value)


def halve(
    tasks: Spaces, halvings: Sequence[Sequence[Rung]], *, path: bool
) -> Iterator[Stretch]:
    """Search by one halving after the other, again and again.

    Args:
        tasks: One search per member.
        halvings: The rounds of each, by fidelities that `ladder` gives.
        path: As `explore` takes it.
    """
    turns, new = timetable(halvings, tasks.horizon), random_order(tasks)

    def ask(step: int, state: Halving) -> Asked:
        return turned_to(turns[step], state, new)

    def tell(state: Halving, told: Told) -> tuple[Halving, Info]:
        return noted(state, told), {}

    yield from explore(tasks, blank(tasks), ask, tell, path=path)


def steps_of(tasks: Spaces, eta: float) -> tuple[int, ...]:
    """Return the fidelities that a search goes up by, by place."""
    return ladder(tasks.evaluator.fidelities[: tasks.top + 1], eta)


def why_not_shortened(tasks: Spaces, eta: float) -> str | None:
    """Return the reason why trainings cannot be cut short; None if they can."""
    lengths = tasks.evaluator.fidelities[: tasks.top + 1]
    if len(ladder(lengths, eta)) > 1:
        return None
    unit = tasks.evaluator.fidelity_unit
    return (
        f"it needs trainings of two lengths at least {eta:g} times apart, and here "
        f"there are only: {', '.join(f'{length:g}' for length in lengths)} {unit}"
    )
