"""Cells of the transfer matrix: what one source saves on one target.

Their calls are one family of tests, by mean regret; all intervals of a cell are at the
level of its test.
"""

from typing import NamedTuple

import numpy as np

from engine.contract.events import Condition
from engine.contract.kinds.search import REGRETS
from engine.stats.array_types import Floats
from engine.stats.block_table import PER_STEP, BlockTable
from engine.stats.claims.calls import Call, call_from_interval
from engine.stats.claims.run_questions import compare_pair
from engine.stats.independent_units import paired_ratio
from engine.stats.inference.comparison import Comparison
from engine.stats.inference.intervals import Interval
from engine.stats.inference.profiles import holm_levels
from engine.stats.learner_claims import SIGNIFICANCE
from engine.stats.search.break_even import break_even

NOTHING = Interval(np.nan, np.nan, np.nan, 0)


class CellRows(NamedTuple):
    """What a trained and an untrained strategy measured on the same searches.

    Args:
        warm: Regret of the trained one; shape (replicate, search, evaluation).
        cold: Regret of the other one, likewise.
        steps: Evaluations of both to the goal, each of shape (replicate, search); None
            where they were not measured.
        spent: Evaluations on the source, per training.
    """

    warm: Floats
    cold: Floats
    steps: tuple[Floats, Floats] | None
    spent: float

    def compare_regret(self) -> Comparison:
        """Return the difference of the mean regrets, which decides the call."""
        return compare_pair(REGRETS, self.warm.mean(-1), self.cold.mean(-1))

    def margin(self) -> float:
        """Return the largest difference of mean regrets that does not matter."""
        return REGRETS.margin_at(REGRETS.deciding, float(self.cold.mean()))


class TransferCell(NamedTuple):
    """All measures of a cell, each with its interval at the cell's level."""

    jump_start: Interval
    ratio: Interval
    gain: Interval
    area: Interval
    break_even: Interval
    call: Call
    level: float
    single: bool


def read_rows(
    table: BlockTable, pair: tuple[str, str], condition: Condition
) -> CellRows | None:
    """Return what two strategies measured at a condition.

    Args:
        table: The run's blocks.
        pair: Labels of the trained and of the untrained strategy.
        condition: Where both were tested.

    Returns:
        None if they were not tested on the same searches.
    """
    warm, cold = (
        table.test_values(label, REGRETS.trace, condition, PER_STEP) for label in pair
    )
    if warm is None or cold is None or warm.shape != cold.shape:
        return None
    steps = [table.test_values(label, REGRETS.beside, condition) for label in pair]
    known = None if steps[0] is None or steps[1] is None else (steps[0], steps[1])
    spent = sum(table.gradients_spent(pair[0], phase) for phase in ("train", "tune"))
    return CellRows(warm, cold, known, spent)


def measure_cells(
    rows: dict[tuple[str, str], CellRows], first: int
) -> dict[tuple[str, str], TransferCell]:
    """Measure all cells, each at the level that Holm's correction leaves it.

    Args:
        rows: What was measured, by source and target.
        first: Evaluations after which a jump-start is measured.

    Returns:
        One cell for each.
    """
    found = [(each.compare_regret(), each.margin()) for each in rows.values()]
    clear = [min(gap.p(), gap.p_equal(margin)) for gap, margin in found]
    alphas = holm_levels(np.array(clear, np.float64), SIGNIFICANCE).tolist()
    return {
        place: _measure_cell(each, first, gap, margin, alpha)
        for (place, each), (gap, margin), alpha in zip(
            rows.items(), found, alphas, strict=True
        )
    }


def _measure_cell(
    rows: CellRows, first: int, gap: Comparison, margin: float, alpha: float
) -> TransferCell:
    early = min(first, rows.warm.shape[-1]) - 1  # a short search ends before `first`
    faster, paid = _goal_ratio_and_break_even(rows, alpha)
    return TransferCell(
        jump_start=_regret_saved(rows, early, alpha),
        ratio=faster,
        gain=_regret_saved(rows, -1, alpha),
        area=_regret_share_saved(rows.warm.mean(-1), rows.cold.mean(-1), alpha),
        break_even=paid,
        call=call_from_interval(*gap.interval(alpha), margin),
        level=1 - alpha,
        single=gap.n_replicates == 1,
    )


def _regret_saved(rows: CellRows, at: int, alpha: float) -> Interval:
    """Return the reduction of regret after an evaluation."""
    found = compare_pair(REGRETS, rows.cold[..., at], rows.warm[..., at])
    return found.mean_with_interval(alpha)


def _goal_ratio_and_break_even(
    rows: CellRows, alpha: float
) -> tuple[Interval, Interval]:
    """Return the ratio of evaluations to the goal, and the break-even."""
    if rows.steps is None:
        return NOTHING, NOTHING
    warm, cold = rows.steps
    saved = compare_pair(REGRETS, cold, warm).mean_with_interval(alpha)
    ratio = paired_ratio(cold, warm, trained=True, alpha=alpha)
    return ratio, break_even(rows.spent, saved)


def _regret_share_saved(warm: Floats, cold: Floats, alpha: float) -> Interval:
    """Return the share of the mean regret that is saved."""
    # A mean regret of 0 has no log ratio: all, nothing or infinitely much is saved.
    if not warm.any() or not cold.any():
        share = 0.0 if warm.any() == cold.any() else 1.0 if cold.any() else -np.inf
        return Interval(share, np.nan, np.nan, len(warm))
    found = paired_ratio(warm, cold, trained=True, alpha=alpha)
    return Interval(1 - found.mean, 1 - found.high, 1 - found.low, found.n)
