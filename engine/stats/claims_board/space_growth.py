"""Judge of growing spaces: whether a warm start saves more on larger ones."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.claims_board.savings import COLD, WARM
from engine.stats.claims_board.study_verdict import (
    FEW,
    FinishedRun,
    SourceTarget,
    StudyVerdict,
    jackknife_interval,
    mean_over_units,
    percent_saved,
    source_targets,
    table_row,
    undecided_verdict,
    verdict_by_sign,
)
from engine.stats.inference.intervals import Interval
from engine.stats.verdicts.wording import format_number


class SizedTarget(NamedTuple):
    """A target in a space of one size; arrays (training, search)."""

    size: int
    target: str
    warm: Floats
    cold: Floats

    def gap(self, without: int | None) -> float:
        """Return the log ratio of the means, without one training if given."""
        mine, theirs = (
            rows if without is None else np.delete(rows, without, axis=0)
            for rows in (self.warm, self.cold)
        )
        return math.log(mine.mean() / theirs.mean())


def judge_growing_space(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by the slope of the ratio of evaluations to the goal over log size."""
    cells = [
        cell for at in source_targets(runs) if (cell := _sized_target(at)) is not None
    ]
    sized = [
        cells for cells in _group_by_target(cells) if len({c.size for c in cells}) > 1
    ]
    if not sized:
        return undecided_verdict("no target was searched on at two sizes")
    cells = [cell for some in sized for cell in some]
    found = percent_saved(_over_targets(cells, _slope))
    verdict = verdict_by_sign(found)
    rows = []
    for size in sorted({cell.size for cell in cells}):
        here = [cell for cell in cells if cell.size == size]
        rows.append(
            table_row(
                f"{size:,} architectures", percent_saved(_over_targets(here, _mean_gap))
            )
        )
    mean, low, high = (format_number(value) for value in found[:3])
    told = (
        "For every tenfold increase of the space the evaluations of a warm start, "
        f"relative to evolution's, fall by {mean} % [{low}, {high}]."
    )
    unit = "% fewer evaluations per tenfold"
    return StudyVerdict(verdict, *found[:3], unit, told, tuple(rows))


def _sized_target(at: SourceTarget) -> SizedTarget | None:
    size, pair = space_size(at), at.values_of_all("evaluations_to_goal", WARM, COLD)
    target = str(at.family.knobs.get("target", ""))
    return SizedTarget(size, target, *pair) if size and pair is not None else None


def _group_by_target(cells: Sequence[SizedTarget]) -> list[list[SizedTarget]]:
    found: dict[str, list[SizedTarget]] = {}
    for cell in cells:
        found.setdefault(cell.target, []).append(cell)
    return list(found.values())


def _mean_gap(cells: Sequence[SizedTarget], without: int | None) -> float:
    return float(np.mean([cell.gap(without) for cell in cells]))


def _slope(cells: Sequence[SizedTarget], without: int | None) -> float:
    """Return the change of the log ratio per tenfold increase of the size."""
    sizes = np.log10([cell.size for cell in cells])
    away = sizes - sizes.mean()
    gaps = np.array([cell.gap(without) for cell in cells])
    return float(away @ gaps / (away**2).sum())


def _over_targets(
    cells: Sequence[SizedTarget],
    value: Callable[[Sequence[SizedTarget], int | None], float],
) -> Interval:
    """Return the mean over targets; with few, its interval is over trainings."""
    rows = _group_by_target(cells)

    def mean(without: int | None = None) -> float:
        return float(np.mean([value(row, without) for row in rows]))

    if len(rows) >= FEW:
        return mean_over_units([value(row, None) for row in rows])
    # Runs may differ in replicates: leave out only those that all of them have.
    trainings = min(len(cell.warm) for cell in cells)
    return jackknife_interval(
        mean(), [mean(r) for r in range(trainings)] if trainings > 1 else []
    )


def space_size(at: SourceTarget) -> int:
    """Return the number of architectures of a run's space; 0 without a film."""
    film = at.run.film("film")
    options = film.info["options"] if film is not None else []
    return math.prod(len(each) for each in options) if options else 0
