"""Climbs from neighbor to neighbor, and which neighbors a climb has yet to try.

Source: White, Nolen and Savani (2020), arXiv:2005.02960; den Ottelander et al.
(2021), arXiv:2004.08996.
"""

from typing import NamedTuple

import numpy as np

from engine.algorithms.search.proposals import neighbors
from engine.protocol import Space, Spaces, Told

Numbers = np.ndarray


class Climb(NamedTuple):
    """Where each search stands; all arrays lead with the member.

    Args:
        here: Codes of the climb's best; shape (member, position).
        value: Of it; −inf where a climb is about to begin.
        left: Which neighbors of it are not trained yet; shape (member, neighbor).
        next: How many starts are used up.
        trained: Number of each architecture trained so far, −1 where none is; shape
            (member, horizon).
        found: Value of each.
    """

    here: Numbers
    value: Numbers
    left: Numbers
    next: Numbers
    trained: Numbers
    found: Numbers


def begun(tasks: Spaces) -> Climb:
    """Return searches that have trained nothing."""
    members, around = tasks.members, len(neighbors(tasks.space)[0])
    return Climb(
        np.zeros((members, len(tasks.space.radix)), np.int64),
        np.full(members, -np.inf),
        np.zeros((members, around), bool),
        np.zeros(members, np.int64),
        np.full((members, tasks.horizon), -1),
        np.full((members, tasks.horizon), -np.inf),
    )


def around(space: Space, codes: Numbers) -> Numbers:
    """Return every neighbor of one architecture; (position,) → (neighbor, position).

    >>> two = Space("two", ("a", "b"), (("x", "y"), ("p", "q", "r")))
    >>> around(two, np.array([0, 1])).tolist()
    [[1, 1], [0, 2], [0, 0]]
    """
    position, turn = neighbors(space)
    found = np.repeat(codes[None], len(position), 0)
    row = np.arange(len(position))
    found[row, position] += turn
    found[row, position] %= np.array(space.radix)[position]
    return found


def chosen(space: Space, state: Climb, starts: Numbers, uniform: Numbers) -> Numbers:
    """Return a start where a climb begins, else an untried neighbor, each as likely.

    Args:
        space: Where is searched.
        state: Where each search stands.
        starts: Where climbs begin, in order; shape (member, start, position).
        uniform: Uniform in [0, 1); shape (member,).
    """
    members = np.arange(len(uniform))
    first = starts[members, state.next % starts.shape[1]]
    position, turn = neighbors(space)
    if not len(position):
        return first
    count = state.left.sum(1)
    rank = np.floor(uniform * count).astype(np.int64)
    which = (state.left.cumsum(1) > rank[:, None]).argmax(1)
    step = state.here.copy()
    step[members, position[which]] += turn[which]
    step[members, position[which]] %= np.array(space.radix)[position[which]]
    return np.where(np.isneginf(state.value)[:, None], first, step)


def moved(space: Space, state: Climb, told: Told, starts: Numbers) -> Climb:
    """Go to what is better; begin anew where nothing around is."""
    state = Climb(*(part.copy() for part in state))
    index = space.index(told.codes)
    live = told.live
    state.trained[live, told.step] = index[live]
    state.found[live, told.step] = told.value[live]
    for member in np.flatnonzero(live):
        if told.value[member] > state.value[member]:
            state.here[member] = told.codes[member]
            state.value[member] = told.value[member]
            _look_around(space, state, int(member))
        else:
            tried = around(space, state.here[member]) == told.codes[member]
            state.left[member] &= ~tried.all(1)
        if not state.left[member].any():
            _begin_anew(space, state, int(member), starts[member])
    return state


def _look_around(space: Space, state: Climb, member: int) -> None:
    """Walk on over what is known already, at no cost; then list what is not."""
    while True:
        nearby = around(space, state.here[member])
        same = space.index(nearby)[:, None] == state.trained[member]
        known = np.where(same, state.found[member], -np.inf).max(1, initial=-np.inf)
        if not len(known) or known.max() <= state.value[member]:
            state.left[member] = ~same.any(1)
            return
        state.here[member] = nearby[known.argmax()]
        state.value[member] = known.max()


def _begin_anew(space: Space, state: Climb, member: int, starts: Numbers) -> None:
    """Choose the next start that was not trained, while there is one."""
    state.value[member] = -np.inf
    for _ in range(len(starts)):
        state.next[member] += 1
        start = starts[state.next[member] % len(starts)]
        if space.index(start) not in state.trained[member]:
            return
