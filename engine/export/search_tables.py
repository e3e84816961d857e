"""The table of searches as CSV, one number a row, and as LaTeX to be pasted."""

import csv
import io
import math
from collections.abc import Iterator, Sequence

from engine.export.latex_escaping import escape_latex, latex_row
from engine.export.long_format import escape_formula
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
    """Return the table of a run of searches, one measure a row.

    `value` is a mean, of evaluations and prices to the goal a restricted one: a search
    that never found it counts with all that it had. `low_95` and `high_95` bound it
    over `n` of what `over` names; `source_evaluations` were spent before, by each
    training.
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
            escape_formula(at.family),
            escape_formula(at.shift),
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
        lines: The table.
        caption: Which searches these are.
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
    """Say what the intervals are over, strategy by strategy where they differ."""
    over = {line.name: f"{_unit_count(line)} {line.sample_unit}" for line in lines}
    kinds = list(dict.fromkeys(over.values()))
    if len(kinds) == 1:
        told = kinds[0]
    else:
        told = "; ".join(f"{name}: {kind}" for name, kind in over.items())
    return (
        f"Searches of {setting}: means and 95 % intervals over {told}. Evaluations to "
        "the goal are restricted means."
    )


def _unit_count(line: SearchRow) -> int:
    return max((found.n for found in line.intervals.values()), default=0)


def _format_cell(interval: Interval | None) -> str:
    if interval is None or not math.isfinite(interval.mean):
        return "--"
    mean, low, high = (f"{value:.2f}" for value in interval[:3])
    return f"${mean}$" if interval.n < 2 else f"${mean}\\ [{low}, {high}]$"
