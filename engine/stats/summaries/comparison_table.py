"""The comparison table of a report: learners × conditions, every spread named.

Each cell is a mean with the interval over the episodes of one training that papers
use and, with several trainings, the standard deviation between them. Each row also
has its cost: examples seen, gradients in training, in tuning and per test.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from engine.contract.events import Condition
from engine.contract.learner_appearance import name_in_words
from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.condition_words import describe_condition
from engine.stats.independent_units import drop_repeats
from engine.stats.inference.bounded_intervals import fit_band
from engine.stats.inference.episode_and_training_spread import Spread, compute_spread
from engine.stats.inference.intervals import Band
from engine.stats.verdicts.wording import learner_names

PERCENT = 100.0


class ComparisonCell(NamedTuple):
    """One learner at one condition, in the table's unit.

    Args:
        spread: Mean and spreads; a diverged episode counts as the worst.
        diverged: How many episodes diverged.
        gradients: Gradient evaluations that one test episode took.
        at_least: Whether the mean holds a cap for diverged episodes and so is a lower
            bound; an accuracy of 0 is no cap.
        blew_up: Whether all episodes diverged, so that there is nothing to average.
    """

    spread: Spread
    diverged: int
    gradients: float
    at_least: bool = False
    blew_up: bool = False


class ComparisonRow(NamedTuple):
    """One learner.

    Args:
        label: In the spec.
        name: Its display name.
        role: chosen or baseline.
        examples: Examples seen in each meta-training, with repeats; None if not
            recorded.
        training: Gradient evaluations of each meta-training.
        tuning: Gradient evaluations of tuning its rate.
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
    """The table of learners by conditions.

    Args:
        metric: Display name of the metric.
        unit: Its unit.
        digits: Decimal places to show.
        setting: The tasks, such as "glyphs, 5-way 1-shot".
        columns: The conditions.
        heads: Their display names.
        rows: One per learner.
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
        titles: Titles of parts, by name.

    Returns:
        The table in the criterion's unit; severity 0 is left out, being the same
        test as in distribution.
    """
    columns = tuple(
        c for c in table.conditions() if not (c.shift and c.severity == 0.0)
    )
    names = learner_names(spec, titles)
    rows = tuple(_make_row(table, c, names[c.label], columns) for c in spec.learners)
    heads = tuple(describe_condition(c, spec) for c in columns)
    rule = table.criterion
    digits = 1 if rule.scale == PERCENT else 3
    return Comparison(
        rule.called, rule.unit, digits, describe_setting(spec), columns, heads, rows
    )


def describe_setting(spec: RunSpec) -> str:
    """Return the tasks of a run in words, such as "glyphs, 5-way 1-shot"."""
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
    errors = drop_repeats(errors)
    found = compute_spread(scale * (1.0 - errors if share else errors))
    if table.criterion.singles:
        found = _keep_in_range(found, scale if share else float("inf"))
    lost = table.test_values(label, "diverged", condition)
    spent = table.block(label, "test", "gradient_evaluations", condition)
    each = float(np.mean(spent.array)) / errors.shape[1] if spent else 0.0
    gone = 0 if lost is None else int(lost[: len(errors)].sum())
    capped = bool(gone) and not share
    return ComparisonCell(found, gone, each, capped, capped and gone == errors.size)


def _keep_in_range(found: Spread, most: float) -> Spread:
    """Make the interval of an accuracy or a squared error on a scale that fits it."""
    parts = (found.mean, found.low, found.high, found.trainings)
    band = Band(*(np.array(part, dtype=np.float64) for part in parts))
    fitted = fit_band(band, (0.0, most), np.array(found.trainings * found.episodes))
    return found._replace(low=float(fitted.low), high=float(fitted.high))
