"""Regularized evolution with sizes that differ from member to member.

Source: Real et al. (2019), arXiv:1802.01548, algorithm 1.
"""

from typing import NamedTuple

import numpy as np

from engine.inner.evolving import Population
from engine.inner.proposing import fresh, mutated
from engine.protocol import Asked, Spaces, Told

NEVER = np.iinfo(np.int64).max
Numbers = np.ndarray


class Varied(NamedTuple):
    """Evolution whose populations and tournaments have sizes of their own.

    Args:
        first: Random architectures; shape (member, step, position).
        rivals: Uniform in [0, 1); shape (member, horizon, most rivals). Where a
            tournament is smaller, its first is there again: it cannot win twice.
        changes: Uniform in [0, 1); shape (member, horizon, 3).
        size: Individuals of each population; shape (member,).
    """

    first: Numbers
    rivals: Numbers
    changes: Numbers
    size: Numbers

    @classmethod
    def of(cls, tasks: Spaces, size: Numbers, sample: Numbers) -> "Varied":
        """Draw what each member needs: the same as evolution of these sizes does."""
        shape = (tasks.members, tasks.horizon)
        rivals = np.zeros((*shape, int(sample.max())))
        changes = np.zeros((*shape, 3))
        for each in np.unique(sample).tolist():
            dice = tasks.dice("evolution", tasks.horizon, each + 3)
            mine = sample == each
            rivals[mine] = dice[mine][:, :, :1]
            rivals[mine, :, :each] = dice[mine][:, :, :each]
            changes[mine] = dice[mine][:, :, each:]
        return cls(fresh(tasks)[:, : int(size.max())], rivals, changes, size)

    def start(self, tasks: Spaces) -> Population:
        """Return populations without anyone; places beyond a size are never taken."""
        most = int(self.size.max())
        shape = (tasks.members, most)
        beyond = np.arange(most) >= self.size[:, None]
        return Population(
            np.zeros((*shape, len(tasks.space.radix)), np.int64),
            np.full(shape, -np.inf),
            np.where(beyond, NEVER, -1),
        )

    def ask(self, tasks: Spaces, step: int, state: Population) -> Asked:
        """Train the start, then a changed copy of each tournament's winner."""
        drawn = np.floor(self.rivals[:, step] * self.size[:, None]).astype(np.int64)
        members = np.arange(len(drawn))
        value = np.take_along_axis(state.value, drawn, 1)
        parent = drawn[members, value.argmax(1)]
        codes = state.codes[members, parent]
        child = mutated(tasks.space, codes, self.changes[:, step])
        new = self.first[:, min(step, self.first.shape[1] - 1)]
        return Asked(np.where((step < self.size)[:, None], new, child))

    def tell(self, state: Population, told: Told) -> Population:
        """Let the child take a free place, or that of the oldest."""
        members = np.arange(len(told.value))
        gone = np.where(told.step < self.size, told.step, state.born.argmin(1))
        gone = np.minimum(gone, state.value.shape[1] - 1)
        codes, value, born = (part.copy() for part in state)
        live = told.live
        codes[members, gone] = np.where(live[:, None], told.codes, codes[members, gone])
        value[members, gone] = np.where(live, told.value, value[members, gone])
        born[members, gone] = np.where(live, told.step, born[members, gone])
        return Population(codes, value, born)
