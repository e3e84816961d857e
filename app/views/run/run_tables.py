"""Tables of one run: comparison, scores, cost, and published figures."""

import math
from collections.abc import Iterator, Mapping, Sequence

import streamlit as st

from app.client import files
from app.client.client import Run
from app.figures.theme import format_number
from app.views.run.kind_view import VIEWS, OwnResult
from app.widgets import page_elements, tables
from app.widgets.escaping import escape_markdown
from engine.contract.learner_appearance import name_in_words
from engine.published import PublishedFigure as Published
from engine.published import describe_differences, figures_for_run
from engine.stats.summaries.comparison_table import (
    Comparison,
    ComparisonCell,
    ComparisonRow,
    describe_setting,
    make_comparison,
)

PHASES = {"tune": "Tuning", "train": "Meta-training", "test": "Test"}


def draw_comparison_table(run: Run, titles: Mapping[str, str]) -> None:
    """Draw the comparison: a row per learner, a column per condition, and the cost."""
    made = make_comparison(run.table, run.spec, titles)
    if not any(cell for row in made.rows for cell in row.cells):
        page_elements.draw_empty("No numbers yet", "They come with the first test.")
        return
    page_elements.draw_heading(
        f"{made.metric.capitalize()} ({made.unit}) on unseen {made.setting}"
    )
    st.caption(escape_markdown(describe_spreads(made)))
    tables.draw_table(
        [_comparison_row(made, row) for row in made.rows],
        height="content" if len(made.rows) < 12 else 440,
        alt=f"{made.metric} by learner and condition, with both spreads and the cost",
    )
    with st.container(horizontal=True):
        for name, mime in TABLES.items():
            st.download_button(
                name.rpartition(".")[2].upper().replace("TEX", "LaTeX"),
                data=lambda name=name: files.comparison_file(run, name, titles),
                file_name=f"comparison_{run.key[:8]}.{name.rpartition('.')[2]}",
                mime=mime,
                on_click="ignore",
                key=f"export.{name}",
                icon=":material/download:",
            )


TABLES = {"comparison.csv": "text/csv", "comparison.tex": "text/x-tex"}


def describe_spreads(comparison: Comparison) -> str:
    """Explain both spreads, so that they are not confused."""
    first = next(cell.spread for row in comparison.rows for cell in row.cells if cell)
    text = (
        f"± is 1.96 sd/√E over the E = {first.episodes:,} test episodes of one "
        "training, as in papers"
    )
    if first.trainings < 2:
        return f"{text}. One training: the variation between trainings is unknown."
    return f"{text}; in brackets, the sd over {first.trainings} trainings."


def format_cell(cell: ComparisonCell | None, digits: int) -> str:
    """Return a cell as text, with as many digits as the LaTeX table has.

    >>> format_cell(None, 1)
    '–'
    """
    if cell is None:
        return "–"
    if cell.blew_up:
        return "blew up"
    s = cell.spread
    if cell.at_least:  # a spread of numbers that are cut off would be about the cap
        return f"at least {s.mean:,.{digits}f} · {cell.diverged} diverged"
    text = f"{s.mean:,.{digits}f}"
    text += f" ± {s.half:,.{digits}f}" if math.isfinite(s.half) else ""
    text += f" ({s.sd_trainings:,.{digits}f})" if s.trainings > 1 else ""
    return f"{text} · {cell.diverged} diverged" if cell.diverged else text


def _comparison_row(comparison: Comparison, row: ComparisonRow) -> dict[str, str]:
    cells = {
        head: format_cell(cell, comparison.digits)
        for head, cell in zip(comparison.heads, row.cells, strict=True)
    }
    each = next((f"{cell.gradients:g}" for cell in row.cells if cell), "–")
    return {
        "Learner": row.name,
        **cells,
        **training_cost(row),
        "Gradients per test": each,
    }


def training_cost(row: ComparisonRow) -> dict[str, str]:
    """Return the cost of one training, as columns."""
    return {
        "Examples seen": "–" if row.examples is None else f"{row.examples:,}",
        "Training gradients": f"{row.training:,}",
        "Tuning gradients": f"{row.tuning:,}",
    }


def cost_rows(run: Run, titles: Mapping[str, str]) -> list[dict[str, str]]:
    """Return each learner's in-distribution score and cost, one row each."""
    made = make_comparison(run.table, run.spec, titles)
    here = {row.label: row.cells[0] if row.cells else None for row in made.rows}
    return [
        {
            "Learner": row.name,
            f"{made.metric.capitalize()} ({made.unit})": format_cell(
                here[row.label], made.digits
            ),
            **training_cost(row),
            "Gradients per test": f"{cell.gradients:g}"
            if (cell := here[row.label])
            else "–",
        }
        for row in made.rows
    ]


def spent_by_phase(spent: Mapping[str, int]) -> dict[str, str]:
    """Return a learner's cost by phase, as columns."""
    return {name: f"{spent.get(phase, 0):,}" for phase, name in PHASES.items()}


def has_published(run: Run) -> bool:
    """Whether there are published figures for this run's task."""
    return bool(figures_for_run(run.spec))


def draw_published(run: Run, titles: Mapping[str, str]) -> None:
    """Draw published figures beside this run's, each with its protocol."""
    rows = figures_for_run(run.spec)
    view = VIEWS[run.kind.name]
    ours = view.own_results(run, titles)
    apart = describe_differences(run.spec)
    page_elements.draw_heading(
        f"Published on {_describe_task(run, rows)}",
        "A published number is only comparable under its protocol. "
        + (
            "This run's protocol differs, so its results have separate rows."
            if apart
            else "This run's results stand in the row of the same method."
        ),
    )
    for difference in apart:
        st.markdown(f"- {escape_markdown(difference)}")
    tables.draw_table(
        _published_rows(rows, ours, apart=bool(apart)),
        height="content" if len(rows) < 14 else 480,
        column_config={"Method": "Method", "Here": st.column_config.Column(width=165)},
        alt="Published figures by method, this run's results, and the sources",
    )
    left, right = st.columns(2, gap="large")
    with left:
        page_elements.draw_heading("Published protocol")
        for protocol in dict.fromkeys(row.protocol for row in rows):
            st.caption(escape_markdown(protocol))
    with right:
        page_elements.draw_heading("This run")
        page_elements.draw_facts(view.protocol(run))


def _describe_task(run: Run, rows: Sequence[Published]) -> str:
    target = rows[0].target or rows[0].trial
    family = name_in_words(run.spec.family.name)
    return f"{family}, {target}" if target else describe_setting(run.spec)


def _published_rows(
    rows: Sequence[Published], ours: Sequence[OwnResult], *, apart: bool
) -> Iterator[dict[str, str]]:
    """Yield this run's methods without a published row, then every published row."""
    published = set() if apart else {(r.learner, r.presentation) for r in rows}
    paired: dict[tuple[str, int], str] = {}
    for own in ours:
        what = own.part, own.presentation
        if what in published and what not in paired:
            paired[what] = own.value
        elif not own.presentation:
            yield _published_row(own.name, "–", own.value, ("this run", ""))
    for row in rows:
        shown = format_hundredths if row.target else format_number
        half = "" if row.half is None else f" ± {shown(row.half)}"
        value = f"{shown(row.value)}{half} {row.unit}"
        source = (row.source, row.provenance)
        mine = paired.get((row.learner, row.presentation), "–")
        yield _published_row(row.method, value, mine, source)


def _published_row(
    method: str, theirs: str, mine: str, source: tuple[str, str]
) -> dict[str, str]:
    row = {"Method": method, "Published": theirs, "Here": mine}
    return row | {"Source": source[0], "How it was obtained": source[1]}


def answer_results(run: Run, titles: Mapping[str, str]) -> list[OwnResult]:
    """Return each learner's in-distribution score."""
    made = make_comparison(run.table, run.spec, titles)
    parts = {entry.label: entry.name for entry in run.spec.learners}
    return [
        OwnResult(
            row.name,
            parts[row.label],
            format_cell(row.cells[0] if row.cells else None, made.digits),
        )
        for row in made.rows
    ]


def format_hundredths(value: float) -> str:
    """Format with two decimals: searches of a table differ only in the second."""
    return f"{value:.2f}"


def describe_protocol(run: Run) -> dict[str, object]:
    """Return this run's protocol, as far as it matters for a comparison."""
    made = make_comparison(run.table, run.spec)
    budget, seen = run.spec.budget, [r.examples for r in made.rows if r.examples]
    return {
        "task": made.setting,
        "net": run.spec.net.name,
        "trainings": run.replicates,
        "episodes of each training": f"{budget.task_evaluations:,}",
        "meta-batch": budget.tasks_per_step,
        "examples seen in training": f"{max(seen, default=0):,}",
        "test episodes of each training": f"{budget.test_tasks:,}",
    }
