"""Evolution: tournament selection, one mutation per step, oldest or worst replaced.

Source: Real et al. (2019), arXiv:1802.01548, algorithm 1.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from engine.algorithms.search.proposals import mutate, random_order
from engine.algorithms.search.search_loop import StepMetrics, run_search
from engine.contract.parts import knob
from engine.protocol import Evaluation, Proposal, SearchBatch, TraceSegment

NEVER = np.iinfo(np.int64).max  # birth step of slots that are never the oldest


def population_knob(note: str = "; the first P are drawn at random") -> int:
    """Declare the population size; `note` ends its help."""
    return knob(  # type: ignore[no-any-return]
        10,
        label="Population P",
        unit="architectures",
        low=1,
        high=500,
        help=f"Population size{note}.",
    )


def sample_knob() -> int:
    """Declare the tournament size."""
    return knob(  # type: ignore[no-any-return]
        10,
        label="Tournament S",
        unit="architectures",
        low=1,
        high=500,
        help="Drawn with replacement; the best is mutated. Larger is greedier.",
    )


class Population(NamedTuple):
    """The population of each search; all arrays lead with the member.

    Args:
        codes: Shape (member, individual, position).
        value: −inf in slots that are still empty; shape (member, individual).
        birth_step: Evaluation at which each was trained.
    """

    codes: Int[np.ndarray, "member individual position"]
    value: Float[np.ndarray, "member individual"]
    birth_step: Int[np.ndarray, "member individual"]


class Evolution(NamedTuple):
    """The rules by which a population evolves, and its random numbers.

    Args:
        first: Architectures of the first evaluations; shape (member, step, position).
        uniform: Uniform in [0, 1); shape (member, horizon, sample + 3).
        sample: Tournament size, drawn with replacement.
        aging: Whether the oldest is replaced; else the worst.
    """

    first: Int[np.ndarray, "member step position"]
    uniform: Float[np.ndarray, "member horizon draw"]
    sample: int
    aging: bool

    def ask(self, tasks: SearchBatch, step: int, state: Population) -> Proposal:
        """Propose the first architectures, then mutate each tournament's winner."""
        if step < self.first.shape[1]:
            return Proposal(self.first[:, step])
        uniform = self.uniform[:, step]
        size = state.value.shape[1]
        drawn = np.floor(uniform[:, : self.sample] * size).astype(np.int64)
        members = np.arange(len(drawn))
        value = np.take_along_axis(state.value, drawn, 1)
        parent = drawn[members, value.argmax(1)]
        return Proposal(
            mutate(tasks.space, state.codes[members, parent], uniform[:, self.sample :])
        )

    def tell(self, state: Population, evaluation: Evaluation) -> Population:
        """Replace the oldest by the child, or the worst if the child is no worse."""
        members = np.arange(len(evaluation.value))
        gone = (state.birth_step if self.aging else state.value).argmin(1)
        if evaluation.step < state.value.shape[1]:
            gone = np.full(len(members), evaluation.step)
        keep = ~evaluation.live
        if not self.aging:
            keep |= evaluation.value < state.value[members, gone]
        codes, value, born = (part.copy() for part in state)
        codes[members, gone] = np.where(
            keep[:, None], codes[members, gone], evaluation.codes
        )
        value[members, gone] = np.where(keep, value[members, gone], evaluation.value)
        born[members, gone] = np.where(keep, born[members, gone], evaluation.step)
        return Population(codes, value, born)


def empty_population(tasks: SearchBatch, size: int) -> Population:
    """Return a population of empty slots."""
    members = tasks.members
    shape = (members, size, len(tasks.space.radix))
    value = np.full((members, size), -np.inf)
    return Population(np.zeros(shape, np.int64), value, np.full((members, size), -1))


def run_evolution(
    tasks: SearchBatch, size: int, sample: int, *, aging: bool, path: bool
) -> Iterator[TraceSegment]:
    """Search by evolution from a random population.

    Args:
        tasks: One search per member.
        size: Population size.
        sample: Tournament size.
        aging: Whether the oldest is replaced; else the worst.
        path: As `run_search` takes it.
    """
    uniform = tasks.uniform("evolution", tasks.horizon, sample + 3)
    evolution = Evolution(random_order(tasks)[:, :size], uniform, sample, aging)

    def ask(step: int, state: Population) -> Proposal:
        return evolution.ask(tasks, step, state)

    def tell(
        state: Population, evaluation: Evaluation
    ) -> tuple[Population, StepMetrics]:
        return evolution.tell(state, evaluation), {}

    yield from run_search(tasks, empty_population(tasks, size), ask, tell, path=path)


class SizedEvolution(NamedTuple):
    """Evolution with a population and tournament size per member.

    Args:
        first: Random architectures; shape (member, step, position).
        competitor_draws: Uniform in [0, 1); shape (member, horizon, largest
            tournament). Smaller tournaments repeat their first competitor, which
            changes no winner.
        mutation_draws: Uniform in [0, 1); shape (member, horizon, 3).
        sizes: Population sizes; shape (member,).
    """

    first: Int[np.ndarray, "member step position"]
    competitor_draws: Float[np.ndarray, "member horizon competitor"]
    mutation_draws: Float[np.ndarray, "member horizon 3"]
    sizes: Int[np.ndarray, " member"]

    @classmethod
    def of(
        cls,
        tasks: SearchBatch,
        size: Int[np.ndarray, " member"],
        sample: Int[np.ndarray, " member"],
    ) -> "SizedEvolution":
        """Draw each member's numbers, the same as `Evolution` of its sizes draws.

        Args:
            tasks: One search per member.
            size: Population sizes; shape (member,).
            sample: Tournament sizes; shape (member,).
        """
        shape = (tasks.members, tasks.horizon)
        rivals = np.zeros((*shape, int(sample.max())))
        changes = np.zeros((*shape, 3))
        for each in np.unique(sample).tolist():
            uniform = tasks.uniform("evolution", tasks.horizon, each + 3)
            mine = sample == each
            rivals[mine] = uniform[mine][:, :, :1]
            rivals[mine, :, :each] = uniform[mine][:, :, :each]
            changes[mine] = uniform[mine][:, :, each:]
        return cls(random_order(tasks)[:, : int(size.max())], rivals, changes, size)

    def start(self, tasks: SearchBatch) -> Population:
        """Return empty populations; slots beyond a member's size are never used."""
        most = int(self.sizes.max())
        shape = (tasks.members, most)
        beyond = np.arange(most) >= self.sizes[:, None]
        return Population(
            np.zeros((*shape, len(tasks.space.radix)), np.int64),
            np.full(shape, -np.inf),
            np.where(beyond, NEVER, -1),
        )

    def ask(self, tasks: SearchBatch, step: int, state: Population) -> Proposal:
        """Propose the first architectures, then mutate each tournament's winner."""
        drawn = np.floor(self.competitor_draws[:, step] * self.sizes[:, None]).astype(
            np.int64
        )
        members = np.arange(len(drawn))
        value = np.take_along_axis(state.value, drawn, 1)
        parent = drawn[members, value.argmax(1)]
        codes = state.codes[members, parent]
        child = mutate(tasks.space, codes, self.mutation_draws[:, step])
        new = self.first[:, min(step, self.first.shape[1] - 1)]
        return Proposal(np.where((step < self.sizes)[:, None], new, child))

    def tell(self, state: Population, evaluation: Evaluation) -> Population:
        """Put the child into a free slot, or replace the oldest."""
        members = np.arange(len(evaluation.value))
        gone = np.where(
            evaluation.step < self.sizes, evaluation.step, state.birth_step.argmin(1)
        )
        codes, value, born = (part.copy() for part in state)
        live = evaluation.live
        codes[members, gone] = np.where(
            live[:, None], evaluation.codes, codes[members, gone]
        )
        value[members, gone] = np.where(live, evaluation.value, value[members, gone])
        born[members, gone] = np.where(live, evaluation.step, born[members, gone])
        return Population(codes, value, born)
