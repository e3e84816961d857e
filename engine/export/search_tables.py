"""The table of searches as CSV, one number per row, and as LaTeX."""

import csv
import io
import math
from collections.abc import Iterator, Sequence

from engine.export.latex_escaping import escape_latex, latex_row
from engine.export.long_format import escape_formula, text_cell
from engine.stats.inference.intervals import Interval
from engine.stats.summaries.search_table import MEASURES, SearchRow

SEARCHED = (
    "learner",
    "name",
    "role",
    "test_family",
    "shift",
    "severity",
    "place",
    "metric",
    "measure",
    "unit",
    "value",
    "low_95",
    "high_95",
    "n",
    "over",
    "source_evaluations",
)
SHORT = tuple(measure for measure in MEASURES if measure.short)


def searches_csv(lines: Sequence[SearchRow]) -> bytes:
    """Return the table of a run of searches as CSV, one row per measure.

    `value` is a mean; of evaluations and costs to the goal it is a restricted mean: a
    search that never reached the goal counts with its whole budget. `low_95` and
    `high_95` are the ends of its 95 % interval over `n` units of the kind in `over`.
    `source_evaluations` is what each training spent before on source tasks.

    Args:
        lines: The table, from `search_table`.

    Returns:
        UTF-8 bytes with the columns `SEARCHED`.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(SEARCHED)
    for line in lines:
        writer.writerows(_csv_rows(line))
    return out.getvalue().encode()


def _csv_rows(line: SearchRow) -> Iterator[tuple[object, ...]]:
    at = line.condition
    for measure, found in line.intervals.items():
        yield (
            escape_formula(line.label),
            escape_formula(line.name),
            line.role,
            text_cell(at.family),
            text_cell(at.shift),
            at.severity,
            escape_formula(line.head),
            measure.name,
            measure.head,
            measure.unit,
            *(value if math.isfinite(value) else "" for value in found[:3]),
            found.n,
            line.sample_unit,
            line.source_evaluations,
        )


def searches_latex(lines: Sequence[SearchRow], caption: str) -> bytes:
    """Return the table as LaTeX; it needs the package booktabs.

    Args:
        lines: The table, from `search_table`; of one condition together.
        caption: The table's caption, as plain text.

    Returns:
        UTF-8 bytes of a `table` environment.
    """
    shown = [m for m in SHORT if any(m in line.intervals for line in lines)]
    heads = ("strategy", *(escape_latex(m.short) for m in shown), "source evaluations")
    body: list[str] = []
    for i, line in enumerate(lines):
        if i == 0 or line.condition != lines[i - 1].condition:
            body += [
                r"\midrule",
                rf"\multicolumn{{{len(heads)}}}{{l}}"
                rf"{{\emph{{{escape_latex(line.head)}}}}} \\",
            ]
        cells = (_format_cell(line.intervals.get(measure)) for measure in shown)
        body.append(
            latex_row(escape_latex(line.name), *cells, f"{line.source_evaluations:,}")
        )
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape_latex(caption)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
            r"\toprule",
            latex_row(*heads),
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    ).encode()


def caption_of(lines: Sequence[SearchRow], setting: str) -> str:
    """Return the caption, which says what the intervals are over.

    Args:
        lines: The table; where its strategies differ in that, each one is named.
        setting: What is searched, in words.
    """
    over = {line.name: f"{_unit_count(line)} {line.sample_unit}" for line in lines}
    kinds = list(dict.fromkeys(over.values()))
    if len(kinds) == 1:
        units = kinds[0]
    else:
        units = "; ".join(f"{name}: {kind}" for name, kind in over.items())
    return (
        f"Searches of {setting}: means and 95 % intervals over {units}. Evaluations to "
        "the goal are restricted means."
    )


def _unit_count(line: SearchRow) -> int:
    return max((found.n for found in line.intervals.values()), default=0)


def _format_cell(interval: Interval | None) -> str:
    if interval is None or not math.isfinite(interval.mean):
        return "--"
    mean, low, high = (f"{value:.2f}" for value in interval[:3])
    return f"${mean}$" if interval.n < 2 else f"${mean}\\ [{low}, {high}]$"
