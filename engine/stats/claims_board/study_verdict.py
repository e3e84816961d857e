"""What a judge says, and what several of them need: places, lines, intervals."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np

from engine.contract.events import Artefact, Block, Condition, Timing
from engine.contract.runs import Choice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import BlockTable
from engine.stats.family_names import find_test_family, source_title, target_title
from engine.stats.inference.intervals import (
    Interval,
    mean_interval,
    scale_interval,
    t_critical,
)

Verdict = Literal["supported", "not supported", "depends"]
VerdictRow = dict[str, str | float | int]
FEW = 4  # targets or tasks; with fewer the trainings are what varies
NOTHING = Interval(math.nan, math.nan, math.nan, 0)


class FinishedRun(Protocol):
    """A finished run of a study, from wherever it is kept."""

    @property
    def spec(self) -> RunSpec:
        """The completed spec."""

    @property
    def blocks(self) -> Sequence[Block]:
        """All of its blocks."""

    @property
    def timings(self) -> Sequence[Timing]:
        """What took how long, and how much memory."""

    def film(self, name: str) -> Artefact | None:
        """Return the artefact of that name, or none."""


class StudyVerdict(NamedTuple):
    """A verdict with the number that it rests on.

    Args:
        verdict: By the study's protocol.
        estimate: What the sentence is about, with its 95 % interval.
        low: NaN where there is none.
        high: Likewise.
        unit: Of the three.
        told: The verdict's reason, in a sentence or two.
        rows: What was measured, place by place, to be shown as a table.
        claimed: The range that the sentence names, in the same unit, or nothing.
    """

    verdict: Verdict
    estimate: float
    low: float
    high: float
    unit: str
    told: str
    rows: tuple[VerdictRow, ...] = ()
    claimed: tuple[float, ...] = ()


class SourceTarget(NamedTuple):
    """One source and one target of one run.

    Args:
        source: What was learned on.
        target: What is searched on.
        family: The target's.
        run: Where it was measured.
        table: The run's blocks.
        condition: Under which it was measured.
    """

    source: str
    target: str
    family: Choice
    run: FinishedRun
    table: BlockTable
    condition: Condition

    def values_of(self, label: str, metric: str) -> Floats | None:
        """Return one number a search, of a learner here; (replicate, search)."""
        return self.table.test_values(label, metric, self.condition)

    def values_of_all(self, metric: str, *labels: str) -> list[Floats] | None:
        """Return the numbers of several learners, or none if any is missing."""
        found = [self.values_of(label, metric) for label in labels]
        there = [rows for rows in found if rows is not None]
        return there if len(there) == len(labels) else None


def source_targets(runs: Sequence[FinishedRun]) -> list[SourceTarget]:
    """Return everywhere that the runs were tested, shifts left out."""
    families = [f for run in runs for f in (run.spec.family, *run.spec.test_families)]
    found = []
    for run in runs:
        table = BlockTable(run.blocks, run.spec.kind)
        source = source_title(run.spec.family, families)
        for condition in table.conditions():
            family = find_test_family(run.spec, condition.family)
            if family is not None and not condition.shift:
                target = target_title(family, families)
                found.append(
                    SourceTarget(source, target, family, run, table, condition)
                )
    return found


def mean_over_units(values: Sequence[float] | Floats) -> Interval:
    """Return the mean of independent numbers with its 95 % interval; NaN left out.

    >>> mean_over_units([1.0, 2.0, 3.0]).mean
    2.0
    """
    return mean_interval(np.asarray(values, dtype=np.float64)[:, None])


def jackknife_interval(value: float, without: Sequence[float]) -> Interval:
    """Return a number with the interval that leaving out one unit at a time gives.

    For a mean of independent numbers it is Student's; where a unit is in several of
    them, as a task is in several places, it goes with all of them at once.

    Source: Miller (1974), The jackknife: a review, Biometrika 61(1).

    Args:
        value: Of all units.
        without: The same number without each unit in turn.

    >>> one = jackknife_interval(2.0, [2.5, 2.0, 1.5])
    >>> two = mean_over_units([1.0, 2.0, 3.0])
    >>> round(one.low - two.low, 9), round(one.high - two.high, 9), one.n
    (0.0, 0.0, 3)
    """
    rest = np.asarray(without, dtype=np.float64)
    rest = rest[np.isfinite(rest)]
    free = float(len(rest) - 1)
    if free < 1:
        return Interval(value, math.nan, math.nan, len(rest))
    error = math.sqrt(free * float(((rest - rest.mean()) ** 2).mean()))
    half = float(t_critical(np.array(free))) * error
    return Interval(value, value - half, value + half, len(rest))


def percent_saved(gap: Interval) -> Interval:
    """Return what a log ratio saves, in percent.

    >>> round(percent_saved(Interval(np.log(0.5), np.log(0.4), np.log(0.8), 5)).mean, 9)
    50.0
    """
    mean, high, low = (100.0 * (1.0 - math.exp(x)) for x in gap[:3])
    return Interval(mean, low, high, gap.n)


def table_row(what: str, interval: Interval, scale: float = 1.0) -> VerdictRow:
    """Return one row of what was measured, rounded for people."""
    mean, low, high = (
        _round_significant(value) for value in scale_interval(interval, scale)[:3]
    )
    return {"What": what, "Mean": mean, "Low": low, "High": high, "n": interval.n}


def _round_significant(value: float) -> float:
    return float(f"{value:.4g}") if math.isfinite(value) else value


def undecided_verdict(why: str) -> StudyVerdict:
    """Return that nothing can be said, and why."""
    return StudyVerdict(
        "depends", math.nan, math.nan, math.nan, "", f"Undecided: {why}."
    )
