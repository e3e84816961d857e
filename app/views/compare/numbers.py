"""The main numbers of compared learners: for the screen, and as CSV."""

from collections.abc import Sequence

from app.charts.run_comparison import Line, line_level, unit_rows
from app.figures.theme import format_number
from app.widgets import tables
from engine.contract.learner_appearance import name_in_words
from engine.contract.metrics import METRICS
from engine.contract.run_facts import learner_in_words
from engine.contract.run_spec import Choice
from engine.stats.diverged_tasks import has_diverged
from engine.stats.family_names import target_title
from engine.stats.inference.intervals import Interval


def shared_metrics(lines: Sequence[Line]) -> list[str]:
    """Return the metrics that every run of the lines has tests of."""
    runs = {line.run.key: line.run for line in lines}
    tested = [
        {block.metric for block in run.blocks if block.phase == "test"}
        for run in runs.values()
    ]
    common = set.intersection(*tested) if tested else set()
    return [name for name in METRICS if name in common]


def main_metrics(lines: Sequence[Line]) -> list[str]:
    """Return the shared metrics that the kinds of task of the runs show as numbers."""
    kinds = {line.run.kind.name: line.run.kind for line in lines}
    main = {name for kind in kinds.values() for name in kind.metrics.numbers}
    return [name for name in shared_metrics(lines) if name in main]


def read_levels(lines: Sequence[Line], metric: str) -> list[Interval | None]:
    """Return each line's mean of a metric with its interval; None if not tested."""
    values = [rows for line in lines if (rows := unit_rows(line, metric)) is not None]
    capped = has_diverged(metric, values)
    return [line_level(line, metric, capped=capped) for line in lines]


def number_rows(lines: Sequence[Line]) -> list[dict[str, object]]:
    """Return one row per line for the screen; none without a shared number."""
    families = [line.run.spec.family for line in lines]
    rows: list[dict[str, object]] = [
        {
            "Learner": learner_in_words(line.label),
            "Run": line.title,
            "Task": task_name(line.run.spec.family, families),
            "Role": "judged" if line.role == "chosen" else "baseline",
            "n": line.run.replicates,
        }
        for line in lines
    ]
    metrics = main_metrics(lines)
    for metric in metrics:
        levels = read_levels(lines, metric)
        for row, level in zip(rows, levels, strict=True):
            row[METRICS[metric].label] = _format_level(level)
    return rows if metrics else []


def task_name(family: Choice, among: Sequence[Choice]) -> str:
    """Return a family's name, with what it differs in from others of its kind."""
    name, title = name_in_words(family.name), target_title(family, among)
    return title if title.startswith(name) else f"{name}, {title}"


def _format_level(level: Interval | None) -> str:
    if level is None:
        return "–"
    ends = f"{format_number(level.low)}, {format_number(level.high)}"
    return f"{format_number(level.mean)} [{ends}]"


def numbers_csv(lines: Sequence[Line]) -> bytes:
    """Return the numbers as CSV: one row per line and metric, unrounded."""
    import pandas as pd  # here, so that pages start without it

    rows = [
        {
            "run": line.run.key,
            "title": line.title,
            "learner": line.label,
            "role": line.role,
            "metric": metric,
            "unit": METRICS[metric].unit,
            "mean": level.mean,
            "low": level.low,
            "high": level.high,
            "n_replicates": line.run.replicates,
        }
        for metric in main_metrics(lines)
        for line, level in zip(lines, read_levels(lines, metric), strict=True)
        if level is not None
    ]
    return tables.csv_bytes(pd.DataFrame(rows))
