"""One table of searches to paste into a report: strategies × conditions × measures.

Every number has its 95 % interval over what varied freely, and that is named: all
searches of a strategy that was never trained, trainings of one that was, or, of a
single training, its searches alone.
"""

from collections.abc import Mapping
from typing import NamedTuple

from engine.contract.blocks import Condition
from engine.contract.runs import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import Table, is_trained
from engine.stats.condition_words import place, sizes_of
from engine.stats.family_names import place_of
from engine.stats.independent_units import rows_of
from engine.stats.inference.intervals import Interval, scaled
from engine.stats.inference.metric_levels import level
from engine.stats.inference.tail_risk import robustness
from engine.stats.verdicts.wording import titled


class Measure(NamedTuple):
    """One column: a metric as people read it, `scale` times as large.

    `short` is its head where there is little room; empty for columns that only the
    long table has.
    """

    name: str
    head: str
    unit: str
    scale: float
    short: str = ""


MEASURES = (
    Measure("regret_area", "mean regret", "points", 100.0, "mean regret"),
    Measure("final_regret", "final regret", "points", 100.0),
    Measure("final_score", "final accuracy", "%", 100.0, "accuracy (%)"),
    Measure("evaluations_to_goal", "evaluations to the goal", "evaluations", 1.0,
            "evaluations to the goal"),
    Measure("reached", "searches that found the goal", "%", 100.0, "found (%)"),
    Measure("cost_to_goal", "price to the goal", "unit of the space", 1.0),
    Measure("trained", "architectures trained", "count", 1.0),
    Measure("repeated", "trained more than once", "%", 100.0),
    Measure("coverage", "coverage of the space", "%", 100.0),
    Measure("recovery_steps", "evaluations to recover", "evaluations", 1.0),
    Measure("recovered", "searches that recovered", "%", 100.0),
)  # fmt: skip
SPREADS = (
    Measure("sd", "standard deviation of mean regret", "points", 100.0),
    Measure("worst_tenth", "mean regret of the worst tenth", "points", 100.0),
)


class Line(NamedTuple):
    """One strategy at one condition.

    Args:
        label: In the spec.
        name: What people call it.
        role: chosen or baseline.
        condition: Where it was measured.
        head: What that is called.
        over: What the intervals are over.
        before: Evaluations on sources, of each training.
        found: By measure; those that were not measured are left out.
    """

    label: str
    name: str
    role: str
    condition: Condition
    head: str
    over: str
    before: int
    found: dict[Measure, Interval]


def search_table(
    table: Table, spec: RunSpec, titles: Mapping[str, str] | None = None
) -> list[Line]:
    """Make the table of a run, condition by condition.

    Args:
        table: The run's blocks.
        spec: The completed spec.
        titles: What parts are called, by name.
    """
    names = titled(spec, titles)
    lines = [
        _line(table, spec, choice, condition)
        for condition in table.conditions()
        if not (condition.shift and condition.severity == 0.0)
        for choice in spec.learners
    ]
    return [line._replace(name=names[line.label]) for line in lines if line.found]


def _line(table: Table, spec: RunSpec, choice: LearnerChoice, at: Condition) -> Line:
    label, found = choice.label, dict[Measure, Interval]()
    for measure in MEASURES:
        rows = rows_of(table, spec, label, measure.name, at)
        if rows is not None:
            found[measure] = scaled(level(measure.name, rows.values), measure.scale)
    regrets = rows_of(table, spec, label, "regret_area", at)
    if regrets is not None:
        found |= _spreads(regrets.values)
    before = sum(table.spent(label, phase) for phase in ("train", "tune"))
    head = place_of(spec, at.family) if at.family else place(at, sizes_of(spec))
    over = _over(table, spec, label, at)
    return Line(label, label, choice.role, at, head, over, before, found)


def _spreads(regrets: Floats) -> dict[Measure, Interval]:
    found = robustness(regrets)
    both = zip(SPREADS, found, strict=True)
    return {measure: scaled(value, measure.scale) for measure, value in both}


def _over(table: Table, spec: RunSpec, label: str, at: Condition) -> str:
    rows = table.tests(label, "regret_area", at)
    if rows is None or not is_trained(table, spec, label):
        return "searches"
    return "trainings" if len(rows) > 1 else "searches of one training"
