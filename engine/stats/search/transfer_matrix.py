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

from engine.contract.events import Block
from engine.contract.run_spec import Choice, RunSpec
from engine.stats.array_types import Floats, Indices
from engine.stats.block_table import (
    BlockTable,
    baseline_learners,
    chosen_learners,
    is_control,
    is_trained,
)
from engine.stats.claims.calls import Call
from engine.stats.family_names import find_test_family, source_title, target_title
from engine.stats.search.transfer_cells import (
    NOTHING,
    CellRows,
    TransferCell,
    measure_cells,
    read_rows,
)

FIRST = 10  # evaluations after which a jump-start is measured


class MeasuredRun(Protocol):
    """A finished run with its spec and blocks, wherever it is stored."""

    @property
    def spec(self) -> RunSpec:
        """The completed spec."""

    @property
    def blocks(self) -> Sequence[Block]:
        """All of its blocks."""


class CellIntervals(NamedTuple):
    """One measure with its interval; arrays (source, target), NaN if untested."""

    mean: Floats
    low: Floats
    high: Floats


class TransferMatrix(NamedTuple):
    """The effect of transfer from each source to each target.

    The cells are one family of tests: each is tested by its mean regret at the level
    that Holm's correction leaves it, and all its intervals are at this level.

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
        calls: By source and target, whether the trained strategy is better (transfer
            helps) or worse (it hurts: negative transfer); None if untested.
        level: Confidence of each cell's intervals.
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
    calls: tuple[tuple[Call | None, ...], ...]
    level: Floats
    n: Indices
    single: bool


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
    rows: dict[tuple[str, str], CellRows] = {}
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
        for target, cell in _matrix_row(table, run.spec, pair, families):
            rows.setdefault((source, target), cell)
    return _arrange_cells(measure_cells(rows, first), names, first)


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
    families: Sequence[Choice],
) -> Iterator[tuple[str, CellRows]]:
    for condition in table.conditions():
        family = find_test_family(spec, condition.family)
        if condition.shift or family is None:
            continue
        cell = read_rows(table, pair, condition)
        if cell is not None:
            yield target_title(family, families), cell


def _arrange_cells(
    cells: dict[tuple[str, str], TransferCell], names: tuple[str, str], first: int
) -> TransferMatrix:
    sources = tuple(dict.fromkeys(source for source, _ in cells))
    targets = tuple(dict.fromkeys(target for _, target in cells))
    grid = [[cells.get((s, t)) for t in targets] for s in sources]
    shape = (len(sources), len(targets))

    def intervals_of(name: str) -> CellIntervals:
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
        jump_start=intervals_of("jump_start"),
        ratio=intervals_of("ratio"),
        gain=intervals_of("gain"),
        area=intervals_of("area"),
        break_even=intervals_of("break_even"),
        calls=tuple(tuple(c.call if c else None for c in row) for row in grid),
        level=np.array(
            [[c.level if c else np.nan for c in row] for row in grid], np.float64
        ).reshape(shape),
        n=np.array(counts, np.int64).reshape(shape),
        single=any(c.single for c in cells.values()),
    )
