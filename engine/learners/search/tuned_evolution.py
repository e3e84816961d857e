"""Tuned evolution: population and tournament sizes are tuned on source tasks.

Source: Lindauer and Hutter (2020), arXiv:1909.02453, on tuning search strategies as
carefully as what they find; the evolution by Real et al. (2019), arXiv:1802.01548.
Differs: each meta-step races one setting of a grid against the default, on the same
tasks with the same randomness.
Helps: shows what tuning a strategy's own knobs gains, without transferring any
architecture.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int

from engine.algorithms.search.evolution import Population, SizedEvolution
from engine.algorithms.search.search_loop import StepMetrics, run_search, search_to_end
from engine.algorithms.search.untrained_strategy import plan_searches
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.contract.run_spec import Budget
from engine.protocol import (
    Estimator,
    Evaluation,
    Learner,
    Meta,
    Outer,
    OuterStepContext,
    Plan,
    Proposal,
    SearchBatch,
    TaskBatch,
    TraceSegment,
)

USUAL = (10, 10)
POPULATIONS, SAMPLES = (5, 10, 20, 50), (2, 5, 10, 25)
RIVALS = tuple((p, s) for p in POPULATIONS for s in SAMPLES if (p, s) != USUAL)
GRID = np.array([USUAL, *RIVALS])


@register("learner")
class TunedEvolution(Learner):
    """(P, S) = argmax over a grid of Σ gain over (10, 10) / (1 + races)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    trains: ClassVar[bool] = True

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return the default sizes, before any race."""
        rows = len(rngs)
        none = torch.zeros(rows, len(GRID), dtype=torch.float64)
        return Meta(_best_sizes(none), {"gain": none, "races": none.clone()})

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Race the next setting against the default; keep the best so far."""
        assert isinstance(tasks, SearchBatch)
        rival = 1 + step_context.step % (len(GRID) - 1)
        gaps = _mean_best_so_far(tasks, GRID[rival]) - _mean_best_so_far(tasks, GRID[0])
        gaps = gaps.reshape(tasks.replicates, -1)
        gain, races = (meta.memory[name].clone() for name in ("gain", "races"))
        gain[:, rival] += torch.from_numpy(gaps.sum(1))
        races[:, rival] += gaps.shape[1]
        chosen = _best_sizes(gain / (1.0 + races))
        return Outer({"gain": gain, "races": races}, {}, weights=chosen)

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Search each drawn source task twice: with the default and with the rival."""
        return plan_searches(budget, 2.0)

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search by evolution with the tuned sizes."""
        assert isinstance(tasks, SearchBatch)
        sizes = meta.weights["sizes"].cpu().numpy()
        each = np.repeat(sizes, tasks.members // len(sizes), 0).round()
        size, sample = np.maximum(each, 1).astype(np.int64).T
        varied = SizedEvolution.of(tasks, size, sample)

        def ask(step: int, state: Population) -> Proposal:
            return varied.ask(tasks, step, state)

        def tell(
            state: Population, evaluation: Evaluation
        ) -> tuple[Population, StepMetrics]:
            return varied.tell(state, evaluation), {}

        yield from run_search(tasks, varied.start(tasks), ask, tell, path=path)


def _best_sizes(merit: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the sizes of the best setting; the default if none is better."""
    best = merit.argmax(1).cpu().numpy()
    return {"sizes": torch.from_numpy(GRID[best].astype(np.float64))}


def _mean_best_so_far(
    tasks: SearchBatch, sizes: Int[np.ndarray, " 2"]
) -> Float[np.ndarray, " member"]:
    """Return the best value so far, averaged over the evaluations; (member,)."""
    size, sample = (np.full(tasks.members, n) for n in sizes)
    varied = SizedEvolution.of(tasks, size, sample)
    found = search_to_end(
        tasks,
        varied.start(tasks),
        lambda step, state: varied.ask(tasks, step, state),
        lambda state, told: (varied.tell(state, told), {}),
    )
    seen = np.where(found.live, found.value, 0.0)
    return np.maximum.accumulate(np.maximum(seen, 0.0), 1).mean(1)
