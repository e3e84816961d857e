"""The report of a run: title, calls, films, charts, tables, settings, command."""

from collections.abc import Mapping
from typing import NamedTuple

from app.charts import figure_lookup, per_task, run_figures
from app.charts.chart_options import ResponsiveFigure, ViewState
from app.client.client import Run
from app.figures.curves import HOW_TO_READ
from app.report import document, embedded_data, html_parts, settings
from app.results.call_lines import call_lines, headline_and_notes
from app.results.comparison_rows import comparison_rows
from app.results.run_title import run_title
from app.results.score_rows import score_rows
from app.widgets.escaping import escape_html

# Films first, then what answers the question, then how it came about.
ORDER = (
    "Films",
    "Main charts",
    "Claims",
    "Per task",
    "Shifts",
    "Search space",
    "Training",
    "Cost",
)
Titles = Mapping[str, str]


class ReportParts(NamedTuple):
    """What a report is made of.

    Args:
        title: The run's title, plain text.
        body: Its header, figures, tables and settings, as HTML.
        drawn: Its figures, in the order of the page.
        main: The chart of what the verdict is about; None without results.
    """

    title: str
    body: str
    drawn: list[ResponsiveFigure]
    main: ResponsiveFigure | None = None


def make_report(run: Run, titles: Titles) -> bytes:
    """Return a run as one HTML file that works offline.

    Args:
        run: A run with results; what it lacks, the report lacks.
        titles: Titles of parts, by name; spelled from the names otherwise.

    Returns:
        UTF-8 bytes.
    """
    made = make_parts(run, titles)
    library = embedded_data.library_file(each.wide for each in made.drawn)
    packed = {
        "library": embedded_data.packed_library(library),
        "figures": embedded_data.packed_figures(made.drawn),
    }
    return document.write_document(
        document.Document(
            made.title,
            made.body,
            data="".join(document.data_element(*each) for each in packed.items()),
            scripts=(document.report_script(),),
            allowed=(embedded_data.script_hash(library),),
        )
    )


def make_parts(run: Run, titles: Titles) -> ReportParts:
    """Return what the report of a run is made of.

    Args:
        run: A run with results; what it lacks, the report lacks.
        titles: Titles of parts, by name; spelled from the names otherwise.
    """
    charts = list_charts(run)
    title = run_title(run, titles)
    sections = (
        _header(run, title, titles),
        _figures(charts),
        _tables(run, titles),
        settings.make_settings(run, titles),
    )
    drawn = [chart for found in charts.values() for chart in found.values()]
    main = figure_lookup.deciding_chart(run)
    return ReportParts(title, "".join(sections), drawn, main)


def list_charts(run: Run) -> dict[str, dict[str, ResponsiveFigure]]:
    """Return the charts of a report by part of the page and title."""
    found: dict[str, dict[str, ResponsiveFigure]] = {}
    fitting = run_figures.page_parts(run)
    for part in ORDER:
        made = run_figures.part_figures(run, part) if part in fitting else {}
        if part == "Per task":
            made = _deciding_only(run, made)
        if made:
            found[part] = made
    return found


def _deciding_only(
    run: Run, made: Mapping[str, ResponsiveFigure]
) -> dict[str, ResponsiveFigure]:
    """Return the charts of the first metric alone: there are two for each."""
    first = next(iter(per_task.per_task_metrics(run, ViewState())), "")
    return {k: v for k, v in made.items() if v.name.rpartition(".")[2] == first}


def _header(run: Run, title: str, titles: Titles) -> str:
    facts = {
        "Kind": run.kind.title,
        "Sample": f"{run.replicates:,} replicates × {run.spec.budget.test_tasks:,} "
        f"{run.kind.words.tests}",
        "State": str(run.job.state) if run.job is not None else "recorded",
        "Run": run.key[:12],
    }
    call = ""
    if run.summary is not None:
        headline, notes = headline_and_notes(run, titles)
        call = f'<p class="call">{escape_html(headline)}</p>'
        call += html_parts.make_list(call_lines(run, titles))
        call += html_parts.make_details("Notes", html_parts.make_list(notes))
    return (
        f'<header><p class="eyebrow">Metascope · report of a run</p>'
        f"<h1>{escape_html(title)}</h1>{call}{html_parts.make_facts(facts)}</header>"
    )


def _figures(charts: Mapping[str, Mapping[str, ResponsiveFigure]]) -> str:
    parts, count = [], 0
    for part, found in charts.items():
        figures = []
        for title, chart in found.items():
            figures.append(_figure(count, title, chart, wide=part == "Films"))
            count += 1
        grid = f'<div class="charts">{"".join(figures)}</div>'
        parts.append(html_parts.make_section(part, grid))
    return "".join(parts)


def _figure(number: int, title: str, chart: ResponsiveFigure, *, wide: bool) -> str:
    meta: Mapping[str, str] = chart.wide.layout.meta or {}
    alt = escape_html(meta.get("alt", title))
    once = meta.get("once", HOW_TO_READ)
    read = meta.get("how_to_read", "").removeprefix(once).strip()
    height = chart.wide.layout.height or 320
    return (
        f'<figure class="{"wide" if wide else ""}"><h3>{escape_html(title)}</h3>'
        f"<p>{escape_html(read)}</p>"
        f'<div class="chart" data-chart="{number}" role="group" aria-label="{alt}" '
        f'style="min-height:{height:g}px"></div></figure>'
    )


def _tables(run: Run, titles: Titles) -> str:
    if run.summary is None:
        return ""
    compared = html_parts.make_table(
        comparison_rows(run, titles),
        "Differences between learners, with the intervals that the calls follow from",
    )
    scores = html_parts.make_table(
        score_rows(run, dict(titles)), f"{run.kind.words.intervals} Value [low, high]."
    )
    return html_parts.make_section("Comparisons", compared) + html_parts.make_section(
        "Scores", scores
    )
