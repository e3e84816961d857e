"""Batches of architecture searches, their proposals and evaluations.

A task is a space of architectures with its evaluator; a search strategy is a learner
whose adaptation is the search. Arrays here are numpy arrays; an architecture's code is
one small integer per decision.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float, Int

from engine.contract.rng import Rng
from engine.protocol.meta_types import generator
from engine.protocol.spaces import Evaluator, Space
from engine.protocol.tasks import TaskBatch


class Objective(NamedTuple):
    """What a search maximizes: the score, under an optional cap on a property.

    Args:
        property: The capped property; empty for no cap.
        cap: The highest allowed value, in the property's unit; shape (task,).
        since: Share of a search after which the cap holds, of its evaluations or of
            its budget, whichever comes first. A search learns of it only then.
    """

    property: str = ""
    cap: Float[np.ndarray, " task"] | None = None
    since: float = 0.0


class Proposal(NamedTuple):
    """Architectures to train next, one per member.

    Args:
        codes: Shape (member, position).
        fidelity: Positions in the fidelities, shape (member,); None for the highest.
    """

    codes: Int[np.ndarray, "member position"]
    fidelity: Int[np.ndarray, " member"] | None = None


class Evaluation(NamedTuple):
    """The result of a proposal, as the search sees it; arrays lead with the member.

    Args:
        step: Number of the evaluation, from 0.
        codes: Shape (member, position).
        fidelity: Position in the fidelities.
        signal: Noisy validation accuracy, share; NaN where the training failed.
        value: The quantity to maximize: the signal, or −1 where the training failed
            or a cap is exceeded.
        live: False once a member could not afford its proposal: its search is over,
            and nothing was trained.
    """

    step: int
    codes: Int[np.ndarray, "member position"]
    fidelity: Int[np.ndarray, " member"]
    signal: Float[np.ndarray, " member"]
    value: Float[np.ndarray, " member"]
    live: Bool[np.ndarray, " member"]


@dataclass(frozen=True)
class SearchBatch(TaskBatch):
    """A batch of searches, one per member, each with its own random stream.

    Args:
        space: The searched space; it may be a part of the evaluator's space.
        evaluator: Trains the architectures.
        kept_options: Options of the evaluator's space that `space` keeps, by
            position.
        task_index: Task of each member; shape (member,).
        rngs: One stream per member.
        sources: Tasks of this pool; a learner may meta-train on each.
        replicates: Number of replicates; members lie replicate by replicate.
        horizon: Maximum number of evaluations per search.
        budget: Maximum cost per search, in the evaluator's unit; inf for no limit.
        full_fidelity: Position of the fidelity of a full training.
        noise: Standard deviation of the noise on each signal, as a share (0.01 is
            one percentage point).
        failing_share: Share of the regions of the space in which every training
            fails.
        goal: A search is done once it is among this share of best architectures,
            such as 0.01.
        objective: What is maximized; its cap has shape (task,).
        chunk: Number of members that are computed at once.
    """

    space: Space
    evaluator: Evaluator
    kept_options: tuple[tuple[int, ...], ...]
    task_index: Int[np.ndarray, " member"]
    rngs: tuple[Rng, ...]
    sources: tuple[int, ...]
    replicates: int
    horizon: int
    budget: float = float("inf")
    full_fidelity: int = 0
    noise: float = 0.0
    failing_share: float = 0.0
    goal: float = 0.01
    objective: Objective = field(default=Objective())
    chunk: int = 1024

    @property
    def members(self) -> int:
        return len(self.task_index)

    def take(self, index: Sequence[int]) -> Self:
        """Return the chosen members as one replicate."""
        chosen = list(index)
        rngs = tuple(self.rngs[i] for i in chosen)
        return replace(
            self, task_index=self.task_index[chosen], rngs=rngs, replicates=1
        )

    def with_tasks(self, which: Int[np.ndarray, " member"]) -> Self:
        """Return the same searches on other tasks.

        Args:
            which: Task of each member; shape (member,).
        """
        return replace(self, task_index=np.asarray(which, np.int64))

    def uniform(self, name: str, *shape: int) -> Float[np.ndarray, "member ..."]:
        """Draw uniform numbers from each member's own stream.

        Args:
            name: Same name, same numbers, whichever strategy asks.
            *shape: Numbers per member; a larger first dimension leaves the earlier
                numbers unchanged.

        Returns:
            In [0, 1); shape (member, *shape).
        """
        # One generator per member: a member's numbers do not depend on the batch.
        drawn = [generator(rng.child(name)).random(shape) for rng in self.rngs]
        return np.stack(drawn)

    def to_evaluator_codes(
        self, codes: Int[np.ndarray, "*batch position"]
    ) -> Int[np.ndarray, "*batch position"]:
        """Return codes of this space as codes of the evaluator's space.

        Args:
            codes: Shape (…, position).

        Returns:
            Shape (…, position).
        """
        # Positions differ in their number of options: the table is padded with 0.
        table = np.zeros(
            (len(self.kept_options), max(map(len, self.kept_options))), np.int64
        )
        for position, kept in enumerate(self.kept_options):
            table[position, : len(kept)] = kept
        return table[np.arange(len(self.kept_options)), codes]

    def all_codes(self) -> Int[np.ndarray, "architecture position"]:
        """Return the evaluator codes of all architectures, in the order of `index`."""
        return self.to_evaluator_codes(self.space.codes(np.arange(self.space.size)))

    def from_evaluator_codes(
        self, codes: Int[np.ndarray, "*batch position"]
    ) -> Int[np.ndarray, "*batch position"]:
        """Return codes of the evaluator's space as codes of this space.

        Args:
            codes: Shape (…, position).

        Returns:
            Shape (…, position); −1 where this space lacks the option.
        """
        base = self.evaluator.space.radix
        # The inverse table; −1 marks options that this space leaves out.
        table = np.full((len(base), max(base)), -1, np.int64)
        for position, kept in enumerate(self.kept_options):
            table[position, list(kept)] = range(len(kept))
        return table[np.arange(len(base)), codes]
