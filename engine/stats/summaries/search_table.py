"""The search table of a report: strategies × conditions × measures.

Every number has its 95 % interval over independent units, which are named: all
searches of an untrained strategy, the trainings of a trained one or, with a single
training, only its searches.
"""

from collections.abc import Mapping
from typing import NamedTuple

from engine.contract.events import Condition
from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import BlockTable, is_trained
from engine.stats.condition_words import describe_condition
from engine.stats.independent_units import unit_values
from engine.stats.inference.intervals import Interval, scale_interval
from engine.stats.inference.metric_intervals import metric_interval
from engine.stats.inference.tail_risk import robustness
from engine.stats.verdicts.wording import learner_names


class Measure(NamedTuple):
    """One column of the table.

    Args:
        name: The metric.
        head: Column head.
        unit: Unit after scaling.
        scale: Factor from the metric's unit to this one.
        short: Head of the short table; empty for columns of the long table only.
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
    Measure(
        "evaluations_to_goal",
        "evaluations to the goal",
        "evaluations",
        1.0,
        "evaluations to the goal",
    ),
    Measure("reached", "searches that found the goal", "%", 100.0, "found (%)"),
    Measure("cost_to_goal", "price to the goal", "unit of the space", 1.0),
    Measure("trained", "architectures trained", "count", 1.0),
    Measure("repeated", "trained more than once", "%", 100.0),
    Measure("coverage", "coverage of the space", "%", 100.0),
    Measure("recovery_steps", "evaluations to recover", "evaluations", 1.0),
    Measure("recovered", "searches that recovered", "%", 100.0),
)
SPREADS = (
    Measure("sd", "standard deviation of mean regret", "points", 100.0),
    Measure("worst_tenth", "mean regret of the worst tenth", "points", 100.0),
)


class SearchRow(NamedTuple):
    """One strategy at one condition.

    Args:
        label: In the spec.
        name: Its display name.
        role: chosen or baseline.
        condition: Where it was measured.
        head: Display name of the condition.
        sample_unit: What the intervals are over.
        source_evaluations: Evaluations on source tasks per training.
        intervals: By measure; those that were not measured are left out.
    """

    label: str
    name: str
    role: str
    condition: Condition
    head: str
    sample_unit: str
    source_evaluations: int
    intervals: dict[Measure, Interval]


def search_table(
    table: BlockTable, spec: RunSpec, titles: Mapping[str, str] | None = None
) -> list[SearchRow]:
    """Make the table of a run, condition by condition.

    Args:
        table: The run's blocks.
        spec: The completed spec.
        titles: Titles of parts, by name.

    Returns:
        One row per condition and learner that was measured.
    """
    names = learner_names(spec, titles)
    lines = [
        _make_row(table, spec, choice, condition)
        for condition in table.conditions()
        if not (condition.shift and condition.severity == 0.0)
        for choice in spec.learners
    ]
    return [line._replace(name=names[line.label]) for line in lines if line.intervals]


def _make_row(
    table: BlockTable, spec: RunSpec, choice: LearnerChoice, condition: Condition
) -> SearchRow:
    label, found = choice.label, dict[Measure, Interval]()
    for measure in MEASURES:
        rows = unit_values(table, spec, label, measure.name, condition)
        if rows is not None:
            found[measure] = scale_interval(
                metric_interval(measure.name, rows.values), measure.scale
            )
    regrets = unit_values(table, spec, label, "regret_area", condition)
    if regrets is not None:
        found |= _robustness_intervals(regrets.values)
    before = sum(table.gradients_spent(label, phase) for phase in ("train", "tune"))
    head = describe_condition(condition, spec)
    over = _describe_units(table, spec, label, condition)
    return SearchRow(label, label, choice.role, condition, head, over, before, found)


def _robustness_intervals(regrets: Floats) -> dict[Measure, Interval]:
    found = robustness(regrets)
    both = zip(SPREADS, found, strict=True)
    return {measure: scale_interval(value, measure.scale) for measure, value in both}


def _describe_units(
    table: BlockTable, spec: RunSpec, label: str, condition: Condition
) -> str:
    rows = table.test_values(label, "regret_area", condition)
    if rows is None or not is_trained(table, spec, label):
        return "searches"
    return "trainings" if len(rows) > 1 else "searches of one training"
