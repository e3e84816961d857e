"""One table to paste into a report: learners × conditions, with every spread named.

Each cell is a mean with the papers' interval over the episodes of one training, and,
where there are several trainings, the standard deviation between them. Beside it
stands what it took: examples seen, gradients in training, tuning and per test.
"""

from collections.abc import Mapping
from typing import NamedTuple

from engine.contract.appearance import name_in_words
from engine.contract.blocks import Condition
from engine.contract.runs import LearnerChoice, RunSpec
from engine.stats.block_table import Table
from engine.stats.condition_words import place, sizes_of
from engine.stats.inference.spreads import Spread, spread
from engine.stats.verdicts.wording import titled

PERCENT = 100.0


class Cell(NamedTuple):
    """One learner at one condition, in the table's unit.

    Args:
        spread: Mean and spreads; a diverged episode counts as the worst.
        diverged: How many episodes had no number.
        gradients: Gradient evaluations that one test episode took.
    """

    spread: Spread
    diverged: int
    gradients: float


class Row(NamedTuple):
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
    cells: tuple[Cell | None, ...]


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
    rows: tuple[Row, ...]


def comparison(
    table: Table, spec: RunSpec, titles: Mapping[str, str] | None = None
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
    names = titled(spec, titles)
    rows = tuple(_row(table, c, names[c.label], columns) for c in spec.learners)
    heads = tuple(place(c, sizes_of(spec)) for c in columns)
    rule = table.yardstick
    digits = 1 if rule.scale == PERCENT else 3
    return Comparison(
        rule.called, rule.unit, digits, setting(spec), columns, heads, rows
    )


def setting(spec: RunSpec) -> str:
    """Say which tasks a run is about, such as "glyphs, 5-way 1-shot"."""
    knobs = spec.family.knobs
    sizes = [f"{knobs[n]}-{w}" for n, w in _SIZES.items() if n in knobs]
    return ", ".join(
        part for part in (name_in_words(spec.family.name), " ".join(sizes)) if part
    )


_SIZES = {"ways": "way", "shots": "shot"}


def _row(
    table: Table, learner: LearnerChoice, name: str, columns: tuple[Condition, ...]
) -> Row:
    label = learner.label
    seen = table.number(label, "train", "examples_seen")
    return Row(
        label,
        name,
        learner.role,
        None if seen is None else round(seen),
        table.spent(label, "train"),
        table.spent(label, "tune"),
        tuple(_cell(table, label, condition) for condition in columns),
    )


def _cell(table: Table, label: str, condition: Condition) -> Cell | None:
    errors = table.tests(label, table.yardstick.deciding, condition)
    if errors is None:
        return None
    share, scale = table.yardstick.share, table.yardstick.scale
    found = spread(scale * (1.0 - errors if share else errors))
    if table.yardstick.singles:  # neither an accuracy nor a square can be below 0
        high = min(found.high, PERCENT) if share else found.high
        found = found._replace(low=max(found.low, 0.0), high=high)
    lost = table.tests(label, "diverged", condition)
    spent = table.block(label, "test", "gradient_evaluations", condition)
    each = float(spent.array.sum()) / errors.shape[1] if spent else 0.0
    return Cell(found, 0 if lost is None else int(lost.sum()), each)
