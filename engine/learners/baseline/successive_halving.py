"""Successive halving: train many briefly, promote the best to longer training, repeat.

Source: Jamieson and Talwalkar (2016), arXiv:1502.07943.
Differs: η is 3 by default, as in Hyperband, not 2; when one is left it restarts with
new architectures; promoted architectures are retrained from scratch. Each training
counts as one evaluation however short it is, so that cost, not the number of
evaluations, is the fair axis.
Helps: shows what short trainings are worth where early and late accuracy agree.
"""

from collections.abc import Iterator
from typing import ClassVar

from engine.algorithms.search.successive_halving import (
    fidelity_steps,
    run_halvings,
    rungs,
    why_not_shortened,
)
from engine.algorithms.search.untrained_strategy import FixedStrategy
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import Meta, SearchBatch, TaskBatch, TraceSegment


@register("learner")
class SuccessiveHalving(FixedStrategy):
    """nᵢ = ⌊n η⁻ⁱ⌋ architectures for rᵢ = r ηⁱ epochs; the best nᵢ₊₁ go on."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    begin: int = knob(
        27,
        label="Initial configurations n",
        unit="architectures",
        low=2,
        high=2_000,
        help="How many are trained briefly before any is promoted.",
    )
    eta: float = knob(
        3.0,
        label="Reduction factor η",
        low=2.0,
        high=10.0,
        help="One in η is promoted, and trained at least η times as long.",
    )

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why trainings cannot be shortened; None if they can."""
        assert isinstance(tasks, SearchBatch)
        return why_not_shortened(tasks, self.eta)

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search by repeated halvings."""
        assert isinstance(tasks, SearchBatch)
        steps = fidelity_steps(tasks, self.eta)
        yield from run_halvings(tasks, [rungs(self.begin, steps, self.eta)], path=path)
