"""Architecture spaces side by side: one search per member, each on a task.

A task is a space of architectures with its evaluator; a search strategy is a learner
whose adaptation is the search. Numbers here are numpy's: codes are small integers.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np

from engine.contract.rng import Rng
from engine.protocol.meta_types import generator
from engine.protocol.tasks import TaskBatch

Codes = np.ndarray
Numbers = np.ndarray


@dataclass(frozen=True)
class Space:
    """A product of decisions, each with a few options.

    Args:
        name: What it is called.
        positions: Names of the decisions.
        options: Names of each decision's options, in the order of the codes.
        edges: From which node to which each position leads, where positions are the
            edges of a cell; empty where they are a list of decisions.
    """

    name: str
    positions: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    edges: tuple[tuple[int, int], ...] = ()

    @cached_property
    def radix(self) -> tuple[int, ...]:
        """How many options each position has."""
        return tuple(len(names) for names in self.options)

    @property
    def size(self) -> int:
        """How many architectures there are."""
        return math.prod(self.radix)

    def index(self, codes: Codes) -> Numbers:
        """Number architectures in mixed-radix order; (…, position) → (…).

        >>> Space("toy", ("a", "b"), (("x", "y"), ("p", "q", "r"))).index(
        ...     np.array([[0, 2], [1, 0]])).tolist()
        [2, 3]
        """
        return codes.astype(np.int64) @ self._weights

    @cached_property
    def _weights(self) -> Numbers:
        after = [math.prod(self.radix[i + 1 :]) for i in range(len(self.radix))]
        return np.array(after, np.int64)

    def codes(self, index: Numbers) -> Codes:
        """Spell numbered architectures; (…) → (…, position)."""
        found = np.asarray(index, np.int64)[..., None] // self._weights
        return found % np.array(self.radix)


class Measurement(NamedTuple):
    """What training some architectures gave; shape (item,) each.

    `signal` is what a search may see (validation accuracy, share; NaN where the
    training failed), `score` what it is judged by (test accuracy, share), `cost` the
    price of the training, in the evaluator's unit.
    """

    signal: Numbers
    score: Numbers
    cost: Numbers


class Evaluator(ABC):
    """Trains architectures of a space on some tasks, or looks up what it gave.

    `tasks` are their names, `fidelities` how long may be trained, ascending;
    `properties` names what may be capped or traded, with its unit.
    """

    space: Space
    tasks: tuple[str, ...]
    fidelities: tuple[float, ...]
    fidelity_unit: str
    cost_unit: str
    properties: dict[str, str]
    features: Numbers | None = None

    @abstractmethod
    def measure(
        self, which: Numbers, codes: Codes, fidelity: Numbers, uniform: Numbers
    ) -> Measurement:
        """Train architectures.

        Args:
            which: Task of each item, a position in `tasks`; shape (item,).
            codes: Shape (item, position).
            fidelity: Position in `fidelities` of each item; shape (item,).
            uniform: Uniform in [0, 1): it picks the seed of each training.
        """

    @abstractmethod
    def property(self, name: str, which: Numbers, codes: Codes) -> Numbers:
        """Return a property of architectures; shape (item,), NaN where unknown."""

    def cheapest(self, which: int, fidelity: int) -> float:
        """Return a price below which nothing can be trained; 0 where unknown."""
        return 0.0

    def scores(self, which: int) -> Numbers | None:
        """Return the score of every architecture of a task, by `Space.index`.

        NaN where the space has none of that code. None where scores are only known
        by training.
        """
        return None


class Objective(NamedTuple):
    """What a search looks for: the most accurate architecture, perhaps under a cap.

    The cap holds once the share `since` of a search is over, of its evaluations or
    of its budget, whichever comes first; a search learns of it only then.
    """

    property: str = ""
    cap: Numbers | None = None
    since: float = 0.0


class Proposal(NamedTuple):
    """Architectures to be trained next, one per member.

    `codes` has shape (member, position); `fidelity` (member,), the highest where it
    is None.
    """

    codes: Codes
    fidelity: Numbers | None = None


class Evaluation(NamedTuple):
    """What a search is told of its evaluation; arrays lead with the member.

    Args:
        step: Number of the evaluation, from 0.
        codes: Shape (member, position).
        fidelity: Position in the fidelities.
        signal: Noisy validation accuracy, share; NaN where the training failed.
        value: The same, −1 where the training failed or a cap is exceeded: what is
            to be maximized.
        live: False once a member could not pay for what it asked: its search is
            over, and nothing was trained.
    """

    step: int
    codes: Codes
    fidelity: Numbers
    signal: Numbers
    value: Numbers
    live: Numbers


@dataclass(frozen=True)
class SearchBatch(TaskBatch):
    """Searches side by side; a member's randomness is its stream's.

    Args:
        space: Where is searched: it may be a part of the evaluator's space.
        evaluator: What trains.
        allowed: Options of the evaluator's space that `space` keeps, by position.
        which: Task of each member; shape (member,).
        rngs: One stream per member.
        sources: Tasks of this pool; a learner may train itself on each.
        replicates: Trainings that the members belong to, in order.
        horizon: Most evaluations of a search.
        budget: Price that a search may spend, in the evaluator's unit; inf for any.
        top: Fidelity at which an architecture is fully trained.
        noise: Standard deviation that is added to each signal, share.
        failing: Share of the regions of the space in which every training fails.
        goal: The share of architectures that counts as found, such as 0.01.
        objective: What is looked for; its cap has shape (task,).
    """

    space: Space
    evaluator: Evaluator
    kept_options: tuple[tuple[int, ...], ...]
    task_index: Numbers
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

    def with_tasks(self, which: Numbers) -> Self:
        """Return the same searches on other tasks of the pool; shape (member,)."""
        return replace(self, task_index=np.asarray(which, np.int64))

    def uniform(self, name: str, *shape: int) -> Numbers:
        """Return uniform numbers of each member's own stream; (member, *shape).

        Every strategy that asks for the same name gets the same; more in the first
        dimension leave the earlier ones unchanged.
        """
        drawn = [generator(rng.child(name)).random(shape) for rng in self.rngs]
        return np.stack(drawn)

    def to_evaluator_codes(self, codes: Codes) -> Codes:
        """Return codes of this space as codes of the evaluator's."""
        table = np.zeros(
            (len(self.kept_options), max(map(len, self.kept_options))), np.int64
        )
        for position, kept in enumerate(self.kept_options):
            table[position, : len(kept)] = kept
        return table[np.arange(len(self.kept_options)), codes]

    def all_codes(self) -> Codes:
        """Return all architectures of this space, spelled, in the order of `index`."""
        return self.to_evaluator_codes(self.space.codes(np.arange(self.space.size)))

    def from_evaluator_codes(self, codes: Codes) -> Codes:
        """Return codes of the evaluator's space as this space's; −1 where absent."""
        base = self.evaluator.space.radix
        table = np.full((len(base), max(base)), -1, np.int64)
        for position, kept in enumerate(self.kept_options):
            table[position, list(kept)] = range(len(kept))
        return table[np.arange(len(base)), codes]
