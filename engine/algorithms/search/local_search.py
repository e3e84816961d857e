"""Local search (hill climbing) with restarts, and the neighbors not tried yet.

Source: White, Nolen and Savani (2020), arXiv:2005.02960; den Ottelander et al.
(2021), arXiv:2004.08996.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from engine.algorithms.search.proposals import neighbor_changes
from engine.protocol import Evaluation, SearchBatch, Space


class ClimbState(NamedTuple):
    """The climb of each search; all arrays lead with the member.

    Args:
        current: Codes of the climb's best; shape (member, position).
        value: Value of `current`; −inf if a climb is about to start.
        untried: Neighbors of `current` not trained yet; shape (member, neighbor).
        start_index: Number of starts used so far.
        trained: Index of each architecture trained so far, else −1; shape (member,
            horizon).
        trained_values: Value of each.
    """

    current: Int[np.ndarray, "member position"]
    value: Float[np.ndarray, " member"]
    untried: Bool[np.ndarray, "member neighbor"]
    start_index: Int[np.ndarray, " member"]
    trained: Int[np.ndarray, "member horizon"]
    trained_values: Float[np.ndarray, "member horizon"]


def start_climbs(tasks: SearchBatch) -> ClimbState:
    """Return the state before the first evaluation."""
    members, around = tasks.members, len(neighbor_changes(tasks.space)[0])
    return ClimbState(
        np.zeros((members, len(tasks.space.radix)), np.int64),
        np.full(members, -np.inf),
        np.zeros((members, around), bool),
        np.zeros(members, np.int64),
        np.full((members, tasks.horizon), -1),
        np.full((members, tasks.horizon), -np.inf),
    )


def neighbors_of(
    space: Space, codes: Int[np.ndarray, " position"]
) -> Int[np.ndarray, "neighbor position"]:
    """Return every neighbor of one architecture; (position,) → (neighbor, position).

    Args:
        space: The space of the codes.
        codes: One architecture; shape (position,).

    >>> two = Space("two", ("a", "b"), (("x", "y"), ("p", "q", "r")))
    >>> neighbors_of(two, np.array([0, 1])).tolist()
    [[1, 1], [0, 2], [0, 0]]
    """
    position, turn = neighbor_changes(space)
    found = np.repeat(codes[None], len(position), 0)
    row = np.arange(len(position))
    found[row, position] += turn
    found[row, position] %= np.array(space.radix)[position]
    return found


def choose_neighbors(
    space: Space,
    state: ClimbState,
    starts: Int[np.ndarray, "member start position"],
    uniform: Float[np.ndarray, " member"],
) -> Int[np.ndarray, "member position"]:
    """Return a start if a climb begins, else an untried neighbor drawn uniformly.

    Args:
        space: The searched space.
        state: The climb of each search.
        starts: Starting points, in order; shape (member, start, position).
        uniform: Uniform in [0, 1); shape (member,).

    Returns:
        Codes of shape (member, position).
    """
    members = np.arange(len(uniform))
    first = starts[members, state.start_index % starts.shape[1]]
    position, turn = neighbor_changes(space)
    if not len(position):
        return first
    count = state.untried.sum(1)
    rank = np.floor(uniform * count).astype(np.int64)
    which = (state.untried.cumsum(1) > rank[:, None]).argmax(1)
    step = state.current.copy()
    step[members, position[which]] += turn[which]
    step[members, position[which]] %= np.array(space.radix)[position[which]]
    return np.where(np.isneginf(state.value)[:, None], first, step)


def update_climbs(
    space: Space,
    state: ClimbState,
    evaluation: Evaluation,
    starts: Int[np.ndarray, "member start position"],
) -> ClimbState:
    """Move to a better neighbor; restart where no untried neighbor is left.

    Args:
        space: The searched space.
        state: The climb of each search; it is not changed.
        evaluation: What was just trained.
        starts: Starting points, in order; shape (member, start, position).
    """
    state = ClimbState(*(part.copy() for part in state))
    index = space.index(evaluation.codes)
    live = evaluation.live
    state.trained[live, evaluation.step] = index[live]
    state.trained_values[live, evaluation.step] = evaluation.value[live]
    for member in np.flatnonzero(live):
        if evaluation.value[member] > state.value[member]:
            state.current[member] = evaluation.codes[member]
            state.value[member] = evaluation.value[member]
            _follow_known(space, state, int(member))
        else:
            tried = (
                neighbors_of(space, state.current[member]) == evaluation.codes[member]
            )
            state.untried[member] &= ~tried.all(1)
        if not state.untried[member].any():
            _restart(space, state, int(member), starts[member])
    return state


def _follow_known(space: Space, state: ClimbState, member: int) -> None:
    """Climb on among trained neighbors, at no cost; then list the untried ones."""
    while True:
        nearby = neighbors_of(space, state.current[member])
        same = space.index(nearby)[:, None] == state.trained[member]
        known = np.where(same, state.trained_values[member], -np.inf).max(
            1, initial=-np.inf
        )
        if not len(known) or known.max() <= state.value[member]:
            state.untried[member] = ~same.any(1)
            return
        state.current[member] = nearby[known.argmax()]
        state.value[member] = known.max()


def _restart(
    space: Space,
    state: ClimbState,
    member: int,
    starts: Int[np.ndarray, "start position"],
) -> None:
    """Advance to the next start that was not trained yet, if there is one."""
    state.value[member] = -np.inf
    for _ in range(len(starts)):
        state.start_index[member] += 1
        start = starts[state.start_index[member] % len(starts)]
        if space.index(start) not in state.trained[member]:
            return
