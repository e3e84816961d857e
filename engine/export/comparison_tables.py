"""The table of learners by test conditions, as CSV (one cell per row) and as LaTeX."""

import csv
import io
import math
from collections.abc import Iterator, Mapping

from engine.contract.run_spec import RunSpec
from engine.export.exported_files import RunRecord
from engine.export.latex_escaping import escape_latex, latex_row
from engine.export.long_format import escape_formula, text_cell
from engine.export.search_tables import caption_of, searches_csv, searches_latex
from engine.stats.block_table import BlockTable
from engine.stats.summaries.comparison_table import (
    Comparison,
    ComparisonCell,
    ComparisonRow,
    describe_setting,
    make_comparison,
)
from engine.stats.summaries.search_table import SearchRow, search_table

COMPARED = (
    "learner",
    "name",
    "role",
    "test_family",
    "shift",
    "severity",
    "metric",
    "unit",
    "value",
    "half_95_over_episodes",
    "sd_over_episodes",
    "sd_over_trainings",
    "low_95_over_trainings",
    "high_95_over_trainings",
    "trainings",
    "episodes_per_training",
    "diverged",
    "examples_seen",
    "training_gradients",
    "tuning_gradients",
    "test_gradients_per_episode",
)
Titles = Mapping[str, str] | None


def comparison_csv(record: RunRecord, titles: Titles = None) -> bytes:
    """Return the comparison table as CSV, one row per learner and condition.

    `half_95_over_episodes` is 1.96 sd/√E over the episodes of one training, as
    papers report it; the spread between trainings has columns of its own. A diverged
    episode counts as a squared error of 100, so that where there is one the true mean
    is at least `value`; all answers of it are wrong. An empty
    cell was not, or could not be, measured. Runs of searches have another table, see
    `searches_csv`.

    Args:
        record: The run.
        titles: Titles of parts, by name; the names where not given.

    Returns:
        UTF-8 bytes with the columns `COMPARED`.
    """
    table = BlockTable(record.blocks, record.spec.kind)
    if lines := _search_lines(table, record.spec, titles):
        return searches_csv(lines)
    made = make_comparison(table, record.spec, titles)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COMPARED)
    writer.writerows(_csv_rows(made))
    return out.getvalue().encode()


def _search_lines(table: BlockTable, spec: RunSpec, titles: Titles) -> list[SearchRow]:
    """Return the rows of the table of searches; empty for other kinds of run."""
    if table.kind.exported_table != "searches":
        return []
    return search_table(table, spec, titles)


def _csv_rows(made: Comparison) -> Iterator[tuple[object, ...]]:
    for row in made.rows:
        for at, cell in zip(made.columns, row.cells, strict=True):
            yield (
                escape_formula(row.label),
                escape_formula(row.name),
                row.role,
                text_cell(at.family),
                text_cell(at.shift),
                at.severity,
                made.metric,
                made.unit,
                *_cell_numbers(cell),
                "" if row.examples is None else row.examples,
                row.training,
                row.tuning,
                "" if cell is None else cell.gradients,
            )


def _cell_numbers(cell: ComparisonCell | None) -> tuple[object, ...]:
    if cell is None:
        return ("",) * 9  # as many columns as a cell has
    s = cell.spread
    values = (s.mean, s.half, s.sd_episodes, s.sd_trainings, s.low, s.high)
    numbers = (value if math.isfinite(value) else "" for value in values)
    return (*numbers, s.trainings, s.episodes, cell.diverged)


def comparison_latex(record: RunRecord, titles: Titles = None) -> bytes:
    """Return the comparison table as LaTeX; it needs the package booktabs.

    Args:
        record: The run.
        titles: Titles of parts, by name; the names where not given.

    Returns:
        UTF-8 bytes of a `table` environment.
    """
    table = BlockTable(record.blocks, record.spec.kind)
    if lines := _search_lines(table, record.spec, titles):
        return searches_latex(lines, caption_of(lines, describe_setting(record.spec)))
    made = make_comparison(table, record.spec, titles)
    heads = made.heads
    costs = ("examples seen", "training", "tuning", "per test")
    lines = [
        "% needs \\usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_caption(made)}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(heads) + len(costs))}}}",
        r"\toprule",
        " & " * len(heads) + r" & & \multicolumn{3}{c}{gradients} \\",
        latex_row("learner", *map(escape_latex, heads), *costs),
        r"\midrule",
        *(latex_row(*_latex_cells(made, row)) for row in made.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
        "",
    ]
    return "\n".join(lines).encode()


def _caption(made: Comparison) -> str:
    cells = [cell for row in made.rows for cell in row.cells if cell]
    first = cells[0].spread if cells else None
    trainings = first.trainings if first else 0
    measured = (
        f"{made.metric.capitalize()} ({made.unit}) on unseen {made.setting}: mean "
    )
    episodes = first.episodes if first else 0
    between = (
        f", in parentheses the standard deviation over {trainings} trainings"
        if trainings > 1
        else "; one training, so the spread between trainings is unknown"
    )
    text = f"$\\pm$ $1.96\\,\\mathrm{{sd}}/\\sqrt{{E}}$ over $E = {episodes}$ episodes"
    return f"{escape_latex(measured)}{text} of one training{between}."


def _latex_cells(made: Comparison, row: ComparisonRow) -> list[str]:
    shown = [_format_cell(cell, made.digits) for cell in row.cells]
    seen = "--" if row.examples is None else _format_count(row.examples)
    per_test = next((f"{c.gradients:g}" for c in row.cells if c), "--")
    paid = [seen, _format_count(row.training), _format_count(row.tuning), per_test]
    return [escape_latex(row.name), *shown, *paid]


def _format_count(count: int) -> str:
    return f"{count:,}".replace(",", r"\,")


def _format_cell(cell: ComparisonCell | None, digits: int) -> str:
    if cell is None:
        return "--"
    if cell.blew_up:
        return "blew up"
    s = cell.spread
    if cell.at_least:  # a spread of numbers that are cut off would be about the cap
        return rf"$\ge {s.mean:.{digits}f}$"
    text = f"${s.mean:.{digits}f}"
    if math.isfinite(s.half):
        text += rf" \pm {s.half:.{digits}f}"
    between = f"\\ ({s.sd_trainings:.{digits}f})" if s.trainings > 1 else ""
    return f"{text}${between}"
