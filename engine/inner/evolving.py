"""Evolution of a population of architectures by tournaments and small changes.

Source: Real et al. (2019), arXiv:1802.01548, algorithm 1.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from engine.contract.knobs import knob
from engine.inner.proposing import fresh, mutated
from engine.inner.searching import Info, explore
from engine.protocol import Asked, Spaces, Stretch, Told

Numbers = np.ndarray


def population_knob(note: str = "; the first P are drawn at random") -> int:
    """Declare how many architectures live; `note` ends its help."""
    return knob(  # type: ignore[no-any-return]
        10, label="Population P", unit="architectures", low=1, high=500,
        help=f"How many live{note}.",
    )  # fmt: skip


def sample_knob() -> int:
    """Declare how many compete to be the parent."""
    return knob(  # type: ignore[no-any-return]
        10, label="Tournament S", unit="architectures", low=1, high=500,
        help="Drawn with replacement; the best of them is changed. More is greedier.",
    )  # fmt: skip


class Population(NamedTuple):
    """The living of each search; all arrays lead with the member.

    Args:
        codes: Shape (member, individual, position).
        value: −inf where a place is still empty; shape (member, individual).
        born: Evaluation that each was trained at.
    """

    codes: Numbers
    value: Numbers
    born: Numbers


class Evolution(NamedTuple):
    """How a population evolves.

    Args:
        first: What the first evaluations train; shape (member, step, position).
        dice: Uniform in [0, 1); shape (member, horizon, sample + 3).
        sample: How many, drawn with replacement, compete to be the parent.
        aging: Whether the oldest dies; else the worst does.
    """

    first: Numbers
    dice: Numbers
    sample: int
    aging: bool

    def ask(self, tasks: Spaces, step: int, state: Population) -> Asked:
        """Train the start, then a changed copy of each tournament's winner."""
        if step < self.first.shape[1]:
            return Asked(self.first[:, step])
        dice = self.dice[:, step]
        size = state.value.shape[1]
        drawn = np.floor(dice[:, : self.sample] * size).astype(np.int64)
        members = np.arange(len(drawn))
        value = np.take_along_axis(state.value, drawn, 1)
        parent = drawn[members, value.argmax(1)]
        return Asked(
            mutated(tasks.space, state.codes[members, parent], dice[:, self.sample :])
        )

    def tell(self, state: Population, told: Told) -> Population:
        """Let the child take the place of the oldest, or of the worst."""
        members = np.arange(len(told.value))
        gone = (state.born if self.aging else state.value).argmin(1)
        if told.step < state.value.shape[1]:
            gone = np.full(len(members), told.step)
        keep = ~told.live
        if not self.aging:
            keep |= told.value < state.value[members, gone]
        codes, value, born = (part.copy() for part in state)
        codes[members, gone] = np.where(keep[:, None], codes[members, gone], told.codes)
        value[members, gone] = np.where(keep, value[members, gone], told.value)
        born[members, gone] = np.where(keep, born[members, gone], told.step)
        return Population(codes, value, born)


def empty_population(tasks: Spaces, size: int) -> Population:
    """Return a population in which no place is taken."""
    members = tasks.members
    shape = (members, size, len(tasks.space.radix))
    value = np.full((members, size), -np.inf)
    return Population(np.zeros(shape, np.int64), value, np.full((members, size), -1))


def evolve(
    tasks: Spaces, size: int, sample: int, *, aging: bool, path: bool
) -> Iterator[Stretch]:
    """Search by evolution from a population drawn at random.

    Args:
        tasks: One search per member.
        size: How many live.
        sample: How many compete to be the parent.
        aging: Whether the oldest dies; else the worst does.
        path: As `explore` takes it.
    """
    dice = tasks.dice("evolution", tasks.horizon, sample + 3)
    evolution = Evolution(fresh(tasks)[:, :size], dice, sample, aging)

    def ask(step: int, state: Population) -> Asked:
        return evolution.ask(tasks, step, state)

    def tell(state: Population, told: Told) -> tuple[Population, Info]:
        return evolution.tell(state, told), {}

    yield from explore(tasks, empty_population(tasks, size), ask, tell, path=path)
