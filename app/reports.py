"""The table that a person pastes into a report, and the rows that papers print."""

import math
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
import streamlit as st

from app import files, panels
from app.door import Run
from app.figures.theme import number
from app.plain import plain
from engine.published import Row as Published
from engine.published import published_for
from engine.stats.comparison import Cell, Comparison, Row, comparison
from engine.stats.table import Table


def table(run: Run, titles: Mapping[str, str]) -> None:
    """Draw the comparison: learners down, conditions across, with what it cost."""
    made = comparison(Table(run.blocks), run.spec, titles)
    if not any(cell for row in made.rows for cell in row.cells):
        panels.empty("No numbers yet", "They come with the first test.")
        return
    panels.heading(f"{made.metric.capitalize()} ({made.unit}) on unseen {made.setting}")
    st.caption(plain(spreads(made)))
    st.dataframe(
        pd.DataFrame([_line(made, row) for row in made.rows]),
        hide_index=True,
        height="content" if len(made.rows) < 12 else 440,
        alt=f"{made.metric} by learner and condition, with both spreads and the cost",
    )
    with st.container(horizontal=True):
        for name, mime in TABLES.items():
            st.download_button(
                name.rpartition(".")[2].upper().replace("TEX", "LaTeX"),
                data=lambda name=name: files.compared(run, name, titles),
                file_name=f"comparison_{run.key[:8]}.{name.rpartition('.')[2]}",
                mime=mime,
                on_click="ignore",
                key=f"export.{name}",
                icon=":material/download:",
            )


TABLES = {"comparison.csv": "text/csv", "comparison.tex": "text/x-tex"}


def spreads(made: Comparison) -> str:
    """Name both spreads, so that neither is taken for the other."""
    first = next(cell.spread for row in made.rows for cell in row.cells if cell)
    told = (
        f"± is 1.96 sd/√E over the E = {first.episodes:,} test episodes of one "
        "training, as papers give it"
    )
    if first.trainings < 2:
        return f"{told}. One training: what another one would give is not known."
    return f"{told}; in brackets, the sd over {first.trainings} trainings."


def written(cell: Cell | None, unit: str) -> str:
    """Return a cell as text, with as many digits as the LaTeX table has.

    >>> written(None, "%")
    '–'
    """
    if cell is None:
        return "–"
    s, digits = cell.spread, 1 if unit == "%" else 3
    text = f"{s.mean:,.{digits}f}"
    text += f" ± {s.half:,.{digits}f}" if math.isfinite(s.half) else ""
    text += f" ({s.sd_trainings:,.{digits}f})" if s.trainings > 1 else ""
    return f"{text} · {cell.diverged} diverged" if cell.diverged else text


def _line(made: Comparison, row: Row) -> dict[str, str]:
    cells = {
        head: written(cell, made.unit)
        for head, cell in zip(made.heads, row.cells, strict=True)
    }
    each = next((f"{cell.gradients:g}" for cell in row.cells if cell), "–")
    return {"Learner": row.name, **cells, **paid(row), "Gradients per test": each}


def paid(row: Row) -> dict[str, str]:
    """Return what one training took."""
    return {
        "Examples seen": "–" if row.examples is None else f"{row.examples:,}",
        "Training gradients": f"{row.training:,}",
        "Tuning gradients": f"{row.tuning:,}",
    }


def costs(run: Run, titles: Mapping[str, str]) -> list[dict[str, str]]:
    """Return what each learner took, beside what it answers in place."""
    made = comparison(Table(run.blocks), run.spec, titles)
    here = {row.label: row.cells[0] if row.cells else None for row in made.rows}
    return [
        {
            "Learner": row.name,
            f"{made.metric.capitalize()} ({made.unit})": written(
                here[row.label], made.unit
            ),
            **paid(row),
            "Gradients per test": f"{cell.gradients:g}"
            if (cell := here[row.label])
            else "–",
        }
        for row in made.rows
    ]


def has_published(run: Run) -> bool:
    """Whether papers print figures of this run's task."""
    return bool(published_for(run.spec))


def published(run: Run, titles: Mapping[str, str]) -> None:
    """Draw what papers report beside what came out here, each under its protocol."""
    rows = published_for(run.spec)
    made = comparison(Table(run.blocks), run.spec, titles)
    parts = {entry.label: entry.name for entry in run.spec.learners}
    ours = {parts[row.label]: row for row in reversed(made.rows)}
    panels.heading(
        f"Published on {made.setting}",
        "A published number is only comparable under its protocol. Ours stands in the "
        "row of the same method.",
    )
    st.dataframe(
        pd.DataFrame(_beside(rows, ours, made.unit)),
        hide_index=True,
        height="content" if len(rows) < 14 else 480,
        column_config={"Method": "Method", "Here": st.column_config.Column(width=165)},
        alt="Published figures by method, our number beside each, and its source",
    )
    left, right = st.columns(2, gap="large")
    with left:
        panels.heading("Their protocol")
        for protocol in dict.fromkeys(row.protocol for row in rows):
            st.caption(plain(protocol))
    with right:
        panels.heading("Ours")
        panels.facts(_protocol(run, made))


def _beside(
    rows: Sequence[Published], ours: Mapping[str, Row], unit: str
) -> Iterator[dict[str, str]]:
    """Yield our own methods that no paper has, then every published row."""
    told = {row.learner for row in rows}
    for name, row in ours.items():
        if name not in told:
            yield _published(row.name, "–", _mine(row, unit), ("this run", ""))
    for row in rows:
        value = number(row.value) + (f" ± {number(row.half)}" if row.half else "")
        mine = _mine(ours[row.learner], unit) if row.learner in ours else "–"
        source = (row.source, row.provenance)
        yield _published(row.method, f"{value} {row.unit}", mine, source)


def _published(
    method: str, theirs: str, mine: str, source: tuple[str, str]
) -> dict[str, str]:
    told = {"Method": method, "Published": theirs, "Here": mine}
    return told | {"Source": source[0], "How it came to us": source[1]}


def _mine(row: Row, unit: str) -> str:
    return written(row.cells[0] if row.cells else None, unit)


def _protocol(run: Run, made: Comparison) -> dict[str, object]:
    """Return how our numbers were got, as far as it bears on a comparison."""
    budget, seen = run.spec.budget, [r.examples for r in made.rows if r.examples]
    return {
        "task": made.setting,
        "net": run.spec.net.name,
        "trainings": run.spec.replicates,
        "episodes of each training": f"{budget.task_evaluations:,}",
        "meta-batch": budget.tasks_per_step,
        "examples seen in training": f"{max(seen, default=0):,}",
        "test episodes of each training": f"{budget.test_tasks:,}",
    }
