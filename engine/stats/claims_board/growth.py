"""Whether what a warm start saves grows with the space."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.claims_board.judgment import (
    FEW,
    Judgment,
    Place,
    Played,
    Verdict,
    left_out,
    line,
    nothing,
    over,
    places,
    saved,
)
from engine.stats.claims_board.savings import COLD, WARM
from engine.stats.inference.intervals import Interval
from engine.stats.verdicts.wording import number


class Sized(NamedTuple):
    """A target in one part of a space; the numbers are (training, search)."""

    size: int
    target: str
    warm: Floats
    cold: Floats

    def gap(self, without: int | None) -> float:
        """Return the log ratio of the means; a training may be left out."""
        mine, theirs = (
            rows if without is None else np.delete(rows, without, axis=0)
            for rows in (self.warm, self.cold)
        )
        return math.log(mine.mean() / theirs.mean())


def growing_space(runs: Sequence[Played]) -> Judgment:
    """Judge by how the ratio of evaluations to the goal changes with the size."""
    cells = [cell for at in places(runs) if (cell := _sized(at)) is not None]
    sized = [cells for cells in _targets(cells) if len({c.size for c in cells}) > 1]
    if not sized:
        return nothing("no target was searched on at two sizes")
    cells = [cell for some in sized for cell in some]
    found = saved(_freely(cells, _slope))
    verdict: Verdict = "supported" if found.low > 0 else "not supported"
    rows = []
    for size in sorted({cell.size for cell in cells}):
        here = [cell for cell in cells if cell.size == size]
        rows.append(line(f"{size:,} architectures", saved(_freely(here, _level))))
    mean, low, high = (number(value) for value in found[:3])
    told = (
        "With every tenfold of the space the evaluations of a warm start, next to "
        f"evolution's, fall by {mean} % [{low}, {high}]."
    )
    unit = "% fewer evaluations per tenfold"
    return Judgment(verdict, *found[:3], unit, told, tuple(rows))


def _sized(at: Place) -> Sized | None:
    size, pair = size_of(at), at.pair("evaluations_to_goal", WARM, COLD)
    target = str(at.family.knobs.get("target", ""))
    return Sized(size, target, *pair) if size and pair is not None else None


def _targets(cells: Sequence[Sized]) -> list[list[Sized]]:
    found: dict[str, list[Sized]] = {}
    for cell in cells:
        found.setdefault(cell.target, []).append(cell)
    return list(found.values())


def _level(cells: Sequence[Sized], without: int | None) -> float:
    return float(np.mean([cell.gap(without) for cell in cells]))


def _slope(cells: Sequence[Sized], without: int | None) -> float:
    """Return by how much the log ratio changes with every tenfold of the size."""
    sizes = np.log10([cell.size for cell in cells])
    away = sizes - sizes.mean()
    gaps = np.array([cell.gap(without) for cell in cells])
    return float(away @ gaps / (away**2).sum())


def _freely(
    cells: Sequence[Sized], value: Callable[[Sequence[Sized], int | None], float]
) -> Interval:
    """Return the mean over targets; with few, its interval is over trainings."""
    rows = _targets(cells)

    def mean(without: int | None = None) -> float:
        return float(np.mean([value(row, without) for row in rows]))

    if len(rows) >= FEW:
        return over([value(row, None) for row in rows])
    trainings = min(len(cell.warm) for cell in cells)
    return left_out(
        mean(), [mean(r) for r in range(trainings)] if trainings > 1 else []
    )


def size_of(at: Place) -> int:
    """Return how many architectures a run searched among; 0 where nobody filmed it."""
    film = at.run.film("film")
    options = film.info["options"] if film is not None else []
    return math.prod(len(each) for each in options) if options else 0
