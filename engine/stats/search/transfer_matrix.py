"""The transfer matrix: gains of a strategy trained on a source, on every target.

Rows are sources, each from one run; columns are targets, the run's own tests and its
test families. A trained strategy is compared with an untrained one on the same
searches; a control that was trained on shuffled experiences has a matrix of its own
and should show no effect.

Source: Taylor and Stone (2009), JMLR 10, section 3: jump-start, asymptotic
performance, transfer ratio and time to threshold. Restricted means as in Royston and
Parmar (2013), for searches that never reach the goal.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from engine.contract.events import Block, Condition
from engine.contract.kinds.search import REGRETS
from engine.contract.run_spec import Choice, RunSpec
from engine.stats.array_types import Floats, Indices
from engine.stats.block_table import (
    PER_STEP,
    BlockTable,
    baseline_learners,
    chosen_learners,
    is_control,
    is_trained,
)
from engine.stats.family_names import find_test_family, source_title, target_title
from engine.stats.independent_units import paired_ratio
from engine.stats.inference.intervals import Interval
from engine.stats.inference.paired import Difference
from engine.stats.inference.profiles import holm
from engine.stats.learner_claims import SIGNIFICANCE, compare_pair
from engine.stats.search.break_even import break_even

FIRST = 10  # evaluations after which a jump-start is measured
NOTHING = Interval(np.nan, np.nan, np.nan, 0)


class MeasuredRun(Protocol):
    """A finished run with its spec and blocks, wherever it is stored."""

    @property
    def spec(self) -> RunSpec:
        """The completed spec."""

    @property
    def blocks(self) -> Sequence[Block]:
        """All of its blocks."""


class CellIntervals(NamedTuple):
    """One measure with its 95 % interval; arrays (source, target), NaN if untested."""

    mean: Floats
    low: Floats
    high: Floats


class TransferMatrix(NamedTuple):
    """The effect of transfer from each source to each target.

    Args:
        sources: Names of the rows.
        targets: Names of the columns.
        learner: The trained strategy; empty where no run has one.
        against: The untrained one that it is compared with.
        first: Evaluations after which the jump-start is measured.
        jump_start: Reduction of regret after these, a share of accuracy.
        ratio: Evaluations to the goal without transfer divided by those with it;
            above 1 transfer saves evaluations.
        gain: Reduction of the final regret, a share of accuracy.
        area: Share of the mean regret that is saved; negative where it grows.
        break_even: Targets after which the source's evaluations are paid back;
            infinite where nothing is saved.
        sign: 1 where transfer helps, −1 where it hurts (negative transfer), 0 without
            a significant difference; by mean regret, Holm-adjusted over all cells.
        n: Independent units: trainings, or searches of a single one.
        single: Whether any cell rests on a single training.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    learner: str
    against: str
    first: int
    jump_start: CellIntervals
    ratio: CellIntervals
    gain: CellIntervals
    area: CellIntervals
    break_even: CellIntervals
    sign: Indices
    n: Indices
    single: bool


class _TransferCell(NamedTuple):
    jump_start: Interval
    ratio: Interval
    gain: Interval
    area: Interval
    break_even: Interval
    difference: Difference


def transfer_matrix(
    runs: Sequence[MeasuredRun],
    learner: str = "",
    against: str = "",
    first: int = FIRST,
) -> TransferMatrix:
    """Compare a trained strategy with an untrained one, by source and target.

    Args:
        runs: One per source; a later run fills only cells that earlier ones left open.
        learner: Label of the trained one; by default each run's first chosen one.
        against: Label of the untrained one; by default each run's first such baseline.
        first: Evaluations after which the jump-start is measured.

    Returns:
        The matrix; empty if no run has both strategies.
    """
    cells: dict[tuple[str, str], _TransferCell] = {}
    names, families = ("", ""), _families(runs)
    for run in runs:
        table = BlockTable(run.blocks, run.spec.kind)
        pair = (
            learner or _warm_label(table, run.spec),
            against or _cold_label(table, run.spec),
        )
        if not all(pair):
            continue
        names = names if all(names) else pair  # the matrix is named by its first run
        source = source_title(run.spec.family, families)
        for target, cell in _matrix_row(table, run.spec, pair, first, families):
            cells.setdefault((source, target), cell)
    return _arrange_cells(cells, names, first)


def control_label(run: MeasuredRun) -> str:
    """Return the label of a run's negative control; empty without one.

    That is a learner that was trained on shuffled experiences.
    """
    return next((c.label for c in run.spec.learners if is_control(c)), "")


def _warm_label(table: BlockTable, spec: RunSpec) -> str:
    labels = [c.label for c in chosen_learners(spec) if not is_control(c)]
    return next((at for at in labels if is_trained(table, spec, at)), "")


def _cold_label(table: BlockTable, spec: RunSpec) -> str:
    labels = [c.label for c in baseline_learners(spec)]
    return next((at for at in labels if not is_trained(table, spec, at)), "")


def _families(runs: Sequence[MeasuredRun]) -> list[Choice]:
    return [f for run in runs for f in (run.spec.family, *run.spec.test_families)]


def _matrix_row(
    table: BlockTable,
    spec: RunSpec,
    pair: tuple[str, str],
    first: int,
    families: Sequence[Choice],
) -> Iterator[tuple[str, _TransferCell]]:
    for condition in table.conditions():
        family = find_test_family(spec, condition.family)
        if condition.shift or family is None:
            continue
        cell = _make_cell(table, pair, condition, first)
        if cell is not None:
            yield target_title(family, families), cell


def _make_cell(
    table: BlockTable, pair: tuple[str, str], condition: Condition, first: int
) -> _TransferCell | None:
    traces = [
        table.test_values(label, REGRETS.trace, condition, PER_STEP) for label in pair
    ]
    if traces[0] is None or traces[1] is None or traces[0].shape != traces[1].shape:
        return None
    warm, cold = traces[0], traces[1]
    early = min(first, warm.shape[-1]) - 1  # a short search ends before `first`
    faster, paid = _goal_ratio_and_break_even(table, pair, condition)
    return _TransferCell(
        jump_start=_as_interval(
            compare_pair(REGRETS, cold[..., early], warm[..., early])
        ),
        ratio=faster,
        gain=_as_interval(compare_pair(REGRETS, cold[..., -1], warm[..., -1])),
        area=_regret_share_saved(warm.mean(-1), cold.mean(-1)),
        break_even=paid,
        difference=compare_pair(REGRETS, warm.mean(-1), cold.mean(-1)),
    )


def _goal_ratio_and_break_even(
    table: BlockTable, pair: tuple[str, str], condition: Condition
) -> tuple[Interval, Interval]:
    """Return the ratio of evaluations to the goal, and the break-even."""
    steps = [table.test_values(label, REGRETS.beside, condition) for label in pair]
    if steps[0] is None or steps[1] is None:
        return NOTHING, NOTHING
    source = sum(table.gradients_spent(pair[0], phase) for phase in ("train", "tune"))
    saved = compare_pair(REGRETS, steps[1], steps[0])
    return paired_ratio(steps[1], steps[0], trained=True), break_even(source, saved)


def _regret_share_saved(warm: Floats, cold: Floats) -> Interval:
    """Return the share of the mean regret that is saved."""
    # A mean regret of 0 has no log ratio: all, nothing or infinitely much is saved.
    if not warm.any() or not cold.any():
        share = 0.0 if warm.any() == cold.any() else 1.0 if cold.any() else -np.inf
        return Interval(share, np.nan, np.nan, len(warm))
    found = paired_ratio(warm, cold, trained=True)
    return Interval(1 - found.mean, 1 - found.high, 1 - found.low, found.n)


def _as_interval(found: Difference) -> Interval:
    units = found.n_replicates if found.n_replicates > 1 else found.n_tasks
    return Interval(found.mean, found.low, found.high, units)


def _arrange_cells(
    cells: dict[tuple[str, str], _TransferCell], names: tuple[str, str], first: int
) -> TransferMatrix:
    sources = tuple(dict.fromkeys(source for source, _ in cells))
    targets = tuple(dict.fromkeys(target for _, target in cells))
    grid = [[cells.get((s, t)) for t in targets] for s in sources]
    shape = (len(sources), len(targets))

    def measure_cells(name: str) -> CellIntervals:
        rows = [[getattr(c, name)[:3] if c else NOTHING[:3] for c in r] for r in grid]
        mean, low, high = np.moveaxis(np.array(rows).reshape(*shape, 3), -1, 0)
        return CellIntervals(mean, low, high)

    counts = [[c.gain.n if c else 0 for c in row] for row in grid]
    learner, against = names
    return TransferMatrix(
        sources=sources,
        targets=targets,
        learner=learner,
        against=against,
        first=first,
        jump_start=measure_cells("jump_start"),
        ratio=measure_cells("ratio"),
        gain=measure_cells("gain"),
        area=measure_cells("area"),
        break_even=measure_cells("break_even"),
        sign=_significant_signs(grid, shape),
        n=np.array(counts, np.int64).reshape(shape),
        single=any(c.difference.n_replicates == 1 for c in cells.values()),
    )


def _significant_signs(
    grid: list[list[_TransferCell | None]], shape: tuple[int, int]
) -> Indices:
    """Return where transfer helps or hurts, Holm-adjusted over all cells."""
    flat = [cell.difference if cell else None for row in grid for cell in row]
    p = holm(np.array([d.p if d else np.nan for d in flat], dtype=np.float64))
    way = np.array([-np.sign(d.mean) if d else 0.0 for d in flat])
    return np.where(p < SIGNIFICANCE, way, 0.0).astype(np.int64).reshape(shape)
