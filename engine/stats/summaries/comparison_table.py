"""One table to paste into a report: learners × conditions, with every spread named.

Each cell is a mean with the papers' interval over the episodes of one training, and,
where there are several trainings, the standard deviation between them. Beside it
stands what it took: examples seen, gradients in training, tuning and per test.
"""

from collections.abc import Mapping
from typing import NamedTuple

from engine.contract.appearance import name_in_words
from engine.contract.events import Condition
from engine.contract.runs import LearnerChoice, RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.condition_words import describe_condition, size_shifts
from engine.stats.inference.spreads import Spread, compute_spread
from engine.stats.verdicts.wording import sentence_names

PERCENT = 100.0


class ComparisonCell(NamedTuple):
    """One learner at one condition, in the table's unit.

    Args:
        spread: Mean and spreads; a diverged episode counts as the worst.
        diverged: How many episodes had no number.
        gradients: Gradient evaluations that one test episode took.
    """

    spread: Spread
    diverged: int
    gradients: float


class ComparisonRow(NamedTuple):
    """One learner.

    Args:
        label: In the spec.
        name: What people call it.
        role: chosen or baseline.
        examples: Examples seen in each meta-training, with repeats; None if unsaid.
        training: Gradient evaluations of each meta-training.
        tuning: Gradient evaluations of choosing its rate.
        cells: By column; None where it was not tested or could not be.
    """

    label: str
    name: str
    role: str
    examples: int | None
    training: int
    tuning: int
    cells: tuple[ComparisonCell | None, ...]


class Comparison(NamedTuple):
    """The table; `metric` is what the numbers are, in `unit`, `setting` of what.

    `heads` name the columns; `digits` stand behind the point.
    """

    metric: str
    unit: str
    digits: int
    setting: str
    columns: tuple[Condition, ...]
    heads: tuple[str, ...]
    rows: tuple[ComparisonRow, ...]


def make_comparison(
    table: BlockTable, spec: RunSpec, titles: Mapping[str, str] | None = None
) -> Comparison:
    """Make the table of a run.

    Args:
        table: The run's blocks.
        spec: The completed spec.
        titles: What parts are called, by name.
    """
    columns = tuple(
        c for c in table.conditions() if not (c.shift and c.severity == 0.0)
    )
    names = sentence_names(spec, titles)
    rows = tuple(_make_row(table, c, names[c.label], columns) for c in spec.learners)
    heads = tuple(describe_condition(c, size_shifts(spec)) for c in columns)
    rule = table.criterion
    digits = 1 if rule.scale == PERCENT else 3
    return Comparison(
        rule.called, rule.unit, digits, describe_setting(spec), columns, heads, rows
    )


def describe_setting(spec: RunSpec) -> str:
    """Say which tasks a run is about, such as "glyphs, 5-way 1-shot"."""
    knobs = spec.family.knobs
    sizes = [f"{knobs[n]}-{w}" for n, w in _SIZES.items() if n in knobs]
    return ", ".join(
        part for part in (name_in_words(spec.family.name), " ".join(sizes)) if part
    )


_SIZES = {"ways": "way", "shots": "shot"}


def _make_row(
    table: BlockTable, learner: LearnerChoice, name: str, columns: tuple[Condition, ...]
) -> ComparisonRow:
    label = learner.label
    seen = table.number(label, "train", "examples_seen")
    return ComparisonRow(
        label,
        name,
        learner.role,
        None if seen is None else round(seen),
        table.gradients_spent(label, "train"),
        table.gradients_spent(label, "tune"),
        tuple(_make_cell(table, label, condition) for condition in columns),
    )


def _make_cell(
    table: BlockTable, label: str, condition: Condition
) -> ComparisonCell | None:
    errors = table.test_values(label, table.criterion.deciding, condition)
    if errors is None:
        return None
    share, scale = table.criterion.share, table.criterion.scale
    found = compute_spread(scale * (1.0 - errors if share else errors))
    if table.criterion.singles:  # neither an accuracy nor a square can be below 0
        high = min(found.high, PERCENT) if share else found.high
        found = found._replace(low=max(found.low, 0.0), high=high)
    lost = table.test_values(label, "diverged", condition)
    spent = table.block(label, "test", "gradient_evaluations", condition)
    each = float(spent.array.sum()) / errors.shape[1] if spent else 0.0
    return ComparisonCell(found, 0 if lost is None else int(lost.sum()), each)
