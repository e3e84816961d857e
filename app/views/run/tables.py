"""The table that a person pastes into a report, and the rows that papers print."""

import math
from collections.abc import Iterator, Mapping, Sequence

import streamlit as st

from app.charts.optimization import name
from app.client import files
from app.client.client import Run
from app.figures.theme import learner_name, number
from app.views.run.kind_view import VIEWS, Ours
from app.widgets import panels, tables
from app.widgets.escaping import plain
from engine.contract.appearance import name_in_words
from engine.contract.blocks import Condition
from engine.published import Row as Published
from engine.published import differs, published_for
from engine.stats.summaries.comparison_table import (
    Cell,
    Comparison,
    Row,
    comparison,
    setting,
)

PHASES = {"tune": "Tuning", "train": "Meta-training", "test": "Test"}


def table(run: Run, titles: Mapping[str, str]) -> None:
    """Draw the comparison: learners down, conditions across, with what it cost."""
    made = comparison(run.table, run.spec, titles)
    if not any(cell for row in made.rows for cell in row.cells):
        panels.empty("No numbers yet", "They come with the first test.")
        return
    panels.heading(f"{made.metric.capitalize()} ({made.unit}) on unseen {made.setting}")
    st.caption(plain(spreads(made)))
    tables.draw(
        [_line(made, row) for row in made.rows],
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


def written(cell: Cell | None, digits: int) -> str:
    """Return a cell as text, with as many digits as the LaTeX table has.

    >>> written(None, 1)
    '–'
    """
    if cell is None:
        return "–"
    s = cell.spread
    text = f"{s.mean:,.{digits}f}"
    text += f" ± {s.half:,.{digits}f}" if math.isfinite(s.half) else ""
    text += f" ({s.sd_trainings:,.{digits}f})" if s.trainings > 1 else ""
    return f"{text} · {cell.diverged} diverged" if cell.diverged else text


def _line(made: Comparison, row: Row) -> dict[str, str]:
    cells = {
        head: written(cell, made.digits)
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
    made = comparison(run.table, run.spec, titles)
    here = {row.label: row.cells[0] if row.cells else None for row in made.rows}
    return [
        {
            "Learner": row.name,
            f"{made.metric.capitalize()} ({made.unit})": written(
                here[row.label], made.digits
            ),
            **paid(row),
            "Gradients per test": f"{cell.gradients:g}"
            if (cell := here[row.label])
            else "–",
        }
        for row in made.rows
    ]


def by_phase(spent: Mapping[str, int]) -> dict[str, str]:
    """Return what a learner took in each phase, as columns."""
    return {name: f"{spent.get(phase, 0):,}" for phase, name in PHASES.items()}


def has_published(run: Run) -> bool:
    """Whether papers print figures of this run's task."""
    return bool(published_for(run.spec))


def published(run: Run, titles: Mapping[str, str]) -> None:
    """Draw what papers report beside what came out here, each under its protocol."""
    rows = published_for(run.spec)
    view = VIEWS[run.kind.name]
    ours = view.ours(run, titles)
    apart = differs(run.spec)
    panels.heading(
        f"Published on {_where(run, rows)}",
        "A published number is only comparable under its protocol. "
        + (
            "Ours differs, and has rows of its own."
            if apart
            else "Ours stands in the row of the same method."
        ),
    )
    for told in apart:
        st.markdown(f"- {plain(told)}")
    tables.draw(
        _beside(rows, ours, apart=bool(apart)),
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
        panels.facts(view.protocol(run))


def _where(run: Run, rows: Sequence[Published]) -> str:
    target = rows[0].target
    family = name_in_words(run.spec.family.name)
    return f"{family}, {target}" if target else setting(run.spec)


def _beside(
    rows: Sequence[Published], ours: Sequence[Ours], *, apart: bool
) -> Iterator[dict[str, str]]:
    """Yield our own methods that no paper has, then every published row."""
    told = set() if apart else {row.learner for row in rows}
    paired: dict[str, str] = {}
    for mine in ours:
        if mine.part in told and mine.part not in paired:
            paired[mine.part] = mine.told
        else:
            yield _published(mine.name, "–", mine.told, ("this run", ""))
    for row in rows:
        shown = hundredths if row.target else number
        half = "" if row.half is None else f" ± {shown(row.half)}"
        value = f"{shown(row.value)}{half} {row.unit}"
        source = (row.source, row.provenance)
        yield _published(row.method, value, paired.get(row.learner, "–"), source)


def _published(
    method: str, theirs: str, mine: str, source: tuple[str, str]
) -> dict[str, str]:
    told = {"Method": method, "Published": theirs, "Here": mine}
    return told | {"Source": source[0], "How it came to us": source[1]}


def answered(run: Run, titles: Mapping[str, str]) -> list[Ours]:
    """Return how well each few-shot learner answers in place."""
    made = comparison(run.table, run.spec, titles)
    parts = {entry.label: entry.name for entry in run.spec.learners}
    return [
        Ours(
            row.name,
            parts[row.label],
            written(row.cells[0] if row.cells else None, made.digits),
        )
        for row in made.rows
    ]


def hundredths(value: float) -> str:
    """Write a number with two decimals, in which strategies of a table differ."""
    return f"{value:.2f}"


def protocol(run: Run) -> dict[str, object]:
    """Return how our numbers were got, as far as it bears on a comparison."""
    made = comparison(run.table, run.spec)
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


def scores(run: Run, titles: dict[str, str]) -> list[dict[str, str]]:
    """Return the summary's numbers as rows of text: value [low, high]."""
    rows = []
    for entry in (run.summary or {}).get("conditions", []):
        condition = Condition(**entry["condition"])
        for label, values in entry["learners"].items():
            shown = {
                title: _interval(values[key], percent=key in run.kind.metrics.percent)
                for key, title in run.kind.metrics.scores.items()
                if key in values
            }
            gone = f"{values.get('diverged', 0)} of {values.get('members', 0)}"
            first = {"Tested": name(condition, titles), "Learner": learner_name(label)}
            rows.append({**first, **shown, "Diverged": gone})
    return rows


def score_table(run: Run, titles: Mapping[str, str]) -> None:
    """Draw the summary's numbers, condition by condition."""
    rows = scores(run, dict(titles))
    if not rows:
        panels.empty("No numbers yet", "They come with the first test.")
        return
    st.caption(run.kind.words.intervals)
    tables.draw(
        rows,
        height="content" if len(rows) < 12 else 440,
        alt="Final, best and area scores by condition and learner",
    )


def _interval(value: dict[str, float | None], *, percent: bool = False) -> str:
    parts = [value.get(key) for key in ("mean", "low", "high")]
    # An accuracy's second decimal is what searches of a table differ in.
    shown = (lambda part: f"{100 * part:.2f}") if percent else number
    mean, low, high = ("n/a" if p is None else shown(p) for p in parts)
    return f"{mean} [{low}, {high}]"
