"""Study verdicts, and what several judges share: targets, rows, intervals."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np

from engine.contract.events import Artefact, Block, Condition, Timing
from engine.contract.run_spec import Choice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import BlockTable
from engine.stats.family_names import find_test_family, source_title, target_title
from engine.stats.inference.intervals import (
    Interval,
    mean_interval,
    scale_interval,
    t_critical,
)
from engine.stats.verdicts.wording import capitalize_first, format_number

Verdict = Literal["supported", "not supported", "depends", "can't tell yet"]
VerdictRow = dict[str, str | float | int]
FEW = 4  # targets or tasks; with fewer the intervals are over trainings
NOTHING = Interval(math.nan, math.nan, math.nan, 0)


class FinishedRun(Protocol):
    """A finished run of a study, wherever it is stored."""

    @property
    def spec(self) -> RunSpec:
        """The completed spec."""

    @property
    def blocks(self) -> Sequence[Block]:
        """All of its blocks."""

    @property
    def timings(self) -> Sequence[Timing]:
        """Run times and peak memory of its stages."""

    def film(self, name: str) -> Artefact | None:
        """Return the artefact of that name; None without one."""


class StudyVerdict(NamedTuple):
    """The verdict on a study's claim, with the number that it is based on.

    Args:
        verdict: By the study's protocol.
        estimate: The quantity that the claim is about.
        low: Lower end of its 95 % interval; NaN without one.
        high: Upper end, likewise.
        unit: Unit of these three.
        reason: The reason for the verdict, in a sentence or two.
        rows: The measurements, target by target, to be shown as a table.
        claimed: The range that the claim names, in the same unit; empty without one.
    """

    verdict: Verdict
    estimate: float
    low: float
    high: float
    unit: str
    reason: str
    rows: tuple[VerdictRow, ...] = ()
    claimed: tuple[float, ...] = ()


class Measurement(NamedTuple):
    """A quantity that a claim rests on: it holds where this lies above a limit.

    Args:
        title: What is compared, for a table.
        found: The quantity over trainings, with its interval.
        unit: Its unit.
        limit: The smallest value for which the claim holds, in the same unit.
    """

    title: str
    found: Interval
    unit: str
    limit: float = 0.0

    @property
    def margin(self) -> Interval:
        """Return by how much the claim holds; below 0 it does not."""
        return scale_interval(self.found, 1.0, -self.limit)

    def row(self) -> VerdictRow:
        """Return it as a row of the table."""
        return table_row(f"{self.title}, {self.unit}", self.found)

    def sentence(self) -> str:
        """Return it as a sentence."""
        mean, low, high = (format_number(value) for value in self.found[:3])
        return (
            f"{capitalize_first(self.title)}: {mean} [{low}, {high}] "
            f"{self.unit}, over {self.found.n} trainings."
        )


class SourceTarget(NamedTuple):
    """One source and one target of one run.

    Args:
        source: Name of what was trained on.
        target: Name of what is searched on.
        family: The target's family.
        run: The run that measured it.
        table: The run's blocks.
        condition: The condition of the test.
    """

    source: str
    target: str
    family: Choice
    run: FinishedRun
    table: BlockTable
    condition: Condition

    def values_of(self, label: str, metric: str) -> Floats | None:
        """Return a learner's numbers on this target; shape (replicate, search)."""
        return self.table.test_values(label, metric, self.condition)

    def values_of_all(self, metric: str, *labels: str) -> list[Floats] | None:
        """Return the numbers of several learners; None if any is missing."""
        found = [self.values_of(label, metric) for label in labels]
        there = [rows for rows in found if rows is not None]
        return there if len(there) == len(labels) else None


def source_targets(runs: Sequence[FinishedRun]) -> list[SourceTarget]:
    """Return every source and target that the runs tested, without shifts."""
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
    """Return the mean of independent numbers with its 95 % interval.

    Args:
        values: One number a unit; shape (unit,). NaN is left out.

    Returns:
        Mean and Student's interval in the unit of the values.

    >>> mean_over_units([1.0, 2.0, 3.0]).mean
    2.0
    """
    return mean_interval(np.asarray(values, dtype=np.float64)[:, None])


def jackknife_interval(value: float, without: Sequence[float]) -> Interval:
    """Return a statistic with its jackknife interval.

    For a mean of independent numbers it is Student's interval. A unit that is part of
    several numbers, as a task is of several pairs, is left out of all of them at once.

    Source: Miller (1974), The jackknife: a review, Biometrika 61(1).

    Args:
        value: The statistic of all units.
        without: The statistic without each unit in turn; NaN is left out.

    Returns:
        The interval; NaN ends with fewer than two units.

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
    """Return the saving of a log ratio of costs, in percent.

    >>> round(percent_saved(Interval(np.log(0.5), np.log(0.4), np.log(0.8), 5)).mean, 9)
    50.0
    """
    # A larger ratio is a smaller saving: the ends swap.
    mean, high, low = (100.0 * (1.0 - math.exp(x)) for x in gap[:3])
    return Interval(mean, low, high, gap.n)


def table_row(what: str, interval: Interval, scale: float = 1.0) -> VerdictRow:
    """Return a measurement as a row of the table, to four significant digits."""
    mean, low, high = (
        _round_significant(value) for value in scale_interval(interval, scale)[:3]
    )
    return {"What": what, "Mean": mean, "Low": low, "High": high, "n": interval.n}


def _round_significant(value: float) -> float:
    return float(f"{value:.4g}") if math.isfinite(value) else value


def verdict_by_sign(found: Interval) -> Verdict:
    """Return the verdict on the claim that a quantity is above 0.

    >>> verdict_by_sign(Interval(2.0, 1.0, 3.0, 8))
    'supported'
    >>> verdict_by_sign(Interval(2.0, -1.0, 5.0, 8))
    "can't tell yet"
    """
    if found.low > 0:
        return "supported"
    return "not supported" if found.high < 0 else "can't tell yet"


def verdict_on_all(found: Sequence[Interval]) -> Verdict:
    """Return the verdict on the claim that each of several quantities is above 0.

    >>> above, below = Interval(2.0, 1.0, 3.0, 8), Interval(-2.0, -3.0, -1.0, 8)
    >>> verdict_on_all([above, above]), verdict_on_all([above, below])
    ('supported', 'depends')
    """
    signs = {verdict_by_sign(each) for each in found}
    if len(signs) == 1:
        return signs.pop()
    return "depends" if signs == {"supported", "not supported"} else "can't tell yet"


def judge_measurements(
    deciding: Sequence[Measurement], beside: Sequence[Measurement] = ()
) -> StudyVerdict:
    """Judge by all that decide; the one that speaks least for the claim is told.

    Where the claim stays open, that is the one among those that leave it open.

    Args:
        deciding: What must hold, at least one.
        beside: What is only shown in the table.
    """
    signs = [verdict_by_sign(each.margin) for each in deciding]
    verdict = verdict_on_all([each.margin for each in deciding])
    open_ones = [m for m, sign in zip(deciding, signs, strict=True) if sign == verdict]
    least = min(open_ones or deciding, key=lambda each: each.margin.mean)
    return StudyVerdict(
        verdict,
        *least.found[:3],
        least.unit,
        least.sentence() + _count_sides(signs),
        tuple(each.row() for each in (*deciding, *beside)),
        (least.limit,) if least.limit else (),
    )


def _count_sides(signs: Sequence[Verdict]) -> str:
    """Return how many of several comparisons speak for and against the claim.

    >>> _count_sides(["supported", "can't tell yet"])
    ' Of 2 comparisons, 1 speaks for the claim and none against it.'
    """
    if len(signs) < 2:
        return ""
    favor, against = signs.count("supported"), signs.count("not supported")
    speak = f"{favor or 'none'} speak{'' if favor > 1 else 's'} for the claim"
    return f" Of {len(signs)} comparisons, {speak} and {against or 'none'} against it."


def undecided_verdict(why: str) -> StudyVerdict:
    """Return a verdict that leaves the claim open, with the reason."""
    nothing = (math.nan, math.nan, math.nan)
    return StudyVerdict("can't tell yet", *nothing, "", f"Can't tell yet: {why}.")
