"""What a judge says, and what several of them need: places, lines, intervals."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np

from engine.contract.blocks import Artefact, Block, Condition, Timing
from engine.contract.runs import Choice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import Table
from engine.stats.family_names import choice_of, titled_place, titled_source
from engine.stats.inference.intervals import Interval, mean_interval, scaled, student

Verdict = Literal["supported", "not supported", "depends"]
Row = dict[str, str | float | int]
FEW = 4  # targets or tasks; with fewer the trainings are what varies
NOTHING = Interval(math.nan, math.nan, math.nan, 0)


class Played(Protocol):
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


class Judgment(NamedTuple):
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
    rows: tuple[Row, ...] = ()
    claimed: tuple[float, ...] = ()


class Place(NamedTuple):
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
    run: Played
    table: Table
    condition: Condition

    def of(self, label: str, metric: str) -> Floats | None:
        """Return one number a search, of a learner here; (replicate, search)."""
        return self.table.tests(label, metric, self.condition)

    def pair(self, metric: str, *labels: str) -> list[Floats] | None:
        """Return the numbers of several learners, or none if any is missing."""
        found = [self.of(label, metric) for label in labels]
        there = [rows for rows in found if rows is not None]
        return there if len(there) == len(labels) else None


def places(runs: Sequence[Played]) -> list[Place]:
    """Return everywhere that the runs were tested, shifts left out."""
    families = [f for run in runs for f in (run.spec.family, *run.spec.test_families)]
    found = []
    for run in runs:
        table = Table(run.blocks, run.spec.kind)
        source = titled_source(run.spec.family, families)
        for condition in table.conditions():
            family = choice_of(run.spec, condition.family)
            if family is not None and not condition.shift:
                target = titled_place(family, families)
                found.append(Place(source, target, family, run, table, condition))
    return found


def over(values: Sequence[float] | Floats) -> Interval:
    """Return the mean of independent numbers with its 95 % interval; NaN left out.

    >>> over([1.0, 2.0, 3.0]).mean
    2.0
    """
    return mean_interval(np.asarray(values, dtype=np.float64)[:, None])


def left_out(value: float, without: Sequence[float]) -> Interval:
    """Return a number with the interval that leaving out one unit at a time gives.

    For a mean of independent numbers it is Student's; where a unit is in several of
    them, as a task is in several places, it goes with all of them at once.

    Source: Miller (1974), The jackknife: a review, Biometrika 61(1).

    Args:
        value: Of all units.
        without: The same number without each unit in turn.

    >>> one, two = left_out(2.0, [2.5, 2.0, 1.5]), over([1.0, 2.0, 3.0])
    >>> round(one.low - two.low, 9), round(one.high - two.high, 9), one.n
    (0.0, 0.0, 3)
    """
    rest = np.asarray(without, dtype=np.float64)
    rest = rest[np.isfinite(rest)]
    free = float(len(rest) - 1)
    if free < 1:
        return Interval(value, math.nan, math.nan, len(rest))
    error = math.sqrt(free * float(((rest - rest.mean()) ** 2).mean()))
    half = float(student(np.array(free))) * error
    return Interval(value, value - half, value + half, len(rest))


def saved(gap: Interval) -> Interval:
    """Return what a log ratio saves, in percent.

    >>> round(saved(Interval(np.log(0.5), np.log(0.4), np.log(0.8), 5)).mean, 9)
    50.0
    """
    mean, high, low = (100.0 * (1.0 - math.exp(x)) for x in gap[:3])
    return Interval(mean, low, high, gap.n)


def line(what: str, found: Interval, scale: float = 1.0) -> Row:
    """Return one row of what was measured, rounded for people."""
    mean, low, high = (_rounded(value) for value in scaled(found, scale)[:3])
    return {"What": what, "Mean": mean, "Low": low, "High": high, "n": found.n}


def _rounded(value: float) -> float:
    return float(f"{value:.4g}") if math.isfinite(value) else value


def nothing(why: str) -> Judgment:
    """Return that nothing can be said, and why."""
    return Judgment("depends", math.nan, math.nan, math.nan, "", f"Undecided: {why}.")
