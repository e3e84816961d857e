"""Base class of search families: knobs for sub-spaces, budgets, noise and caps."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from jaxtyping import Int

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.protocol import (
    BatchSpec,
    Evaluator,
    Family,
    Objective,
    SearchBatch,
    Setting,
    Space,
    generator,
)


class SearchFamily(Family):
    """A family whose tasks are searches of an architecture space.

    A subclass defines the `evaluator` and which of its tasks belong to a pool
    (`sources`); shifts change the knobs that all families share. `limit` names the
    knob that sets the budget of a search, if there is one.
    """

    kind: ClassVar[str] = "search"
    output: ClassVar[str] = "none"
    uses_net: ClassVar[bool] = False
    limit: ClassVar[str] = ""

    goal: float = knob(
        0.01,
        label="Best share",
        unit="share",
        low=1e-4,
        high=0.5,
        log=True,
        help="A search succeeds once it is within this share of best architectures. "
        "Only for spaces whose scores are all known.",
    )
    options: int = knob(
        0,
        label="Options kept",
        unit="per decision",
        low=0,
        high=16,
        advanced=True,
        help="Shrinks the space to the last options of each decision; 0 keeps all.",
    )
    decisions: int = knob(
        0,
        label="Open decisions",
        low=0,
        high=64,
        advanced=True,
        help="Shrinks the space: only the first decisions are searched, the others are "
        "fixed to their last option; 0 searches all.",
    )
    noise: float = knob(
        0.0,
        label="Evaluation noise",
        unit="points",
        low=0.0,
        high=50.0,
        advanced=True,
        help="Standard deviation added to each accuracy that a search sees.",
    )
    failing: float = knob(
        0.0,
        label="Failing regions",
        unit="share",
        low=0.0,
        high=1.0,
        advanced=True,
        help="Share of the regions (option pairs of the first two decisions) where "
        "every training fails; drawn for each search.",
    )
    cap: float = knob(
        0.0,
        label="Cap",
        unit="share of the space",
        low=0.0,
        high=1.0,
        advanced=True,
        help="An architecture is feasible only if its capped property is within this "
        "lowest share of the space; 0: no cap.",
    )
    capped: str = knob(
        "parameters",
        label="Capped property",
        advanced=True,
        help="Property of the space that the cap limits, such as parameters.",
    )
    cap_since: float = knob(
        0.0,
        label="Cap starts at",
        unit="share of the search",
        low=0.0,
        high=1.0,
        advanced=True,
        help="0 caps from the start; 0.5 once half of the evaluations, or of the "
        "budget, is spent; 1 never.",
    )

    @abstractmethod
    def evaluator(self) -> Evaluator:
        """Return the evaluator, created once per process."""

    @abstractmethod
    def sources(self, pool: str) -> tuple[int, ...]:
        """Return the evaluator's tasks that belong to a pool."""

    def budget(self) -> float:
        """Return what a search may spend, in the evaluator's cost unit; inf if any."""
        return float("inf")

    def full_fidelity(self) -> int:
        """Return the fidelity at which an architecture is fully trained."""
        return len(self.evaluator().fidelities) - 1

    def check(self) -> None:
        """Refuse a cap on an unknown property, and a budget below any training."""
        evaluator = self.evaluator()
        if self.cap and self.capped not in evaluator.properties:
            known = ", ".join(evaluator.properties) or "none"
            raise Refused(
                f"this space has no property {self.capped!r}; it has: {known}", "capped"
            )
        self._check_budget(evaluator)

    def _check_budget(self, evaluator: Evaluator) -> None:
        for which in self.sources("test"):
            least = evaluator.cheapest(which, self.full_fidelity())
            if self.budget() < least:
                raise Refused(
                    f"a budget of {self.budget():g} {evaluator.cost_unit} trains no "
                    f"architecture; the cheapest costs {least:.4g} on "
                    f"{evaluator.tasks[which]}",
                    self.limit,
                )

    def draw(
        self, setting: Setting, rngs: Sequence[Rng], pool: str, batch_spec: BatchSpec
    ) -> SearchBatch:
        """Draw one search per stream: a task of the pool, and its randomness."""
        evaluator, sources = self.evaluator(), self.sources(pool)
        drawn = [int(generator(r.child("task")).integers(len(sources))) for r in rngs]
        space, allowed = restrict_space(evaluator.space, self.options, self.decisions)
        tasks = SearchBatch(
            space,
            evaluator,
            allowed,
            np.array([sources[i] for i in drawn], np.int64),
            tuple(rngs),
            sources,
            batch_spec.replicates,
            setting.horizon,
            budget=self.budget(),
            full_fidelity=self.full_fidelity(),
            noise=self.noise / 100.0,
            failing_share=self.failing,
            goal=self.goal,
        )
        if not self.cap or self.cap_since >= 1.0:
            return tasks
        return replace(tasks, objective=self._objective(tasks))

    def _objective(self, tasks: SearchBatch) -> Objective:
        """Convert the cap from a share of the space to a value for each task."""
        sample = tasks.space.codes(_sample_indices(tasks.space.size))
        full = tasks.to_evaluator_codes(sample)
        caps = []
        for task in range(len(tasks.evaluator.tasks)):
            where = np.full(len(full), task)
            found = tasks.evaluator.property(self.capped, where, full)
            known = found[~np.isnan(found)]
            caps.append(np.quantile(known, self.cap) if len(known) else np.nan)
        return Objective(self.capped, np.array(caps), self.cap_since)


def restrict_space(
    space: Space, options: int, decisions: int
) -> tuple[Space, tuple[tuple[int, ...], ...]]:
    """Return a sub-space, and the options of each decision that it keeps.

    Args:
        space: The whole space.
        options: Number of last options of each decision to keep; 0 for all.
        decisions: Number of first decisions to leave open; 0 for all.
    """
    allowed = []
    for position, count in enumerate(space.radix):
        kept = min(count, options) if options else count
        if decisions and position >= decisions:
            kept = 1
        allowed.append(tuple(range(count - kept, count)))
    names = tuple(
        tuple(given[i] for i in kept)
        for given, kept in zip(space.options, allowed, strict=True)
    )
    return replace(space, options=names), tuple(allowed)


def _sample_indices(size: int, most: int = 20_000) -> Int[np.ndarray, " index"]:
    """Return every index, or enough of them to estimate a quantile."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).astype(np.int64))
