"""The knowledge base of a run: experiences, motifs and design principles."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from app.charts.chart_options import ViewState
from app.charts.figure_cache import get_or_make
from app.client import client, run_knowledge
from app.client.client import Run
from app.client.run_knowledge import FrozenKnowledge
from app.figures.motifs import motifs_figure
from app.figures.theme import capitalize_name, learner_name
from app.form import knowledge_import
from app.widgets import page_elements, tables
from app.widgets.escaping import escape_markdown
from engine.contract.events import Artefact
from engine.stats.search.design_principles import describe_principles
from engine.stats.search.motifs import Motif, find_motifs

ANY = "any"


def draw_section(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw the knowledge base of a run."""
    labels, film = knowledge_labels(run), run.film("film")
    if not labels or film is None:
        page_elements.draw_empty(
            "This run has no knowledge base",
            "Run a strategy that learns from other tasks' searches, such as **Warm "
            "evolution**: its knowledge is shown here when the run has finished.",
        )
        knowledge_import.draw_import(run)
        return
    base = _choose_base(run, labels, film)
    left, right = st.columns([3, 2], gap="large")
    found = _find_motifs(run, base)
    with left:
        page_elements.draw_heading("Experiences")
        _draw_experiences(run, base)
    with right:
        page_elements.draw_heading("Design principles", "Each with its evidence.")
        _draw_principles(found, base)
        knowledge_import.draw_import(run)
    if found:
        page_elements.draw_chart(motifs_figure(found), "knowledge.motifs")
        _draw_failures(found)


def knowledge_labels(run: Run) -> list[str]:
    """Return the strategies of a run that froze a knowledge base."""
    if not client.is_catalogue_ready():
        return []
    known = client.catalogue()
    return [
        entry.label
        for entry in run.spec.learners
        if entry.label in run.frozen_labels
        and known.card("learner", entry.name).traits.get("knowledge")
    ]


def _choose_base(run: Run, labels: Sequence[str], film: Artefact) -> FrozenKnowledge:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            "Strategy",
            labels,
            format_func=learner_name,
            key="knowledge_of",
            bind="query-params",
            width=220,
        )
        frozen = run.frozen_weights(str(label))
        assert frozen is not None  # `knowledge_labels` lists frozen ones only
        count = run_knowledge.count_replicates(frozen)
        replicate = st.selectbox(
            "Training",
            range(count),
            format_func=lambda r: f"{r + 1} of {count}",
            key="knowledge_replicate",
            width=130,
        )
        st.download_button(
            "JSON",
            icon=":material/download:",
            key="knowledge_json",
            data=lambda: run_knowledge.to_file_bytes(frozen, film),
            file_name=f"knowledge_{run.key[:8]}.json",
            mime="application/json",
            on_click="ignore",
            help="Contains all trainings; can be imported again.",
        )
    base = run_knowledge.read_frozen(frozen, film, int(replicate or 0))
    space = escape_markdown(capitalize_name(base.space.name))
    st.caption(
        f"{len(base.entries.accuracy):,} experiences of {space} are kept, of "
        f"{base.seen_count:,} seen: the best, and a uniform sample of all."
    )
    return base


def _find_motifs(run: Run, base: FrozenKnowledge) -> list[Motif]:
    space, held = base.space, base.entries
    content = hash((held.accuracy.tobytes(), held.codes.tobytes()))
    return get_or_make(
        ("motifs", run.cache_key, content),
        lambda: find_motifs(
            held.codes,
            held.accuracy,
            space.options,
            space.edges,
            positions=space.positions,
            task=held.task,
        ),
    )


def _draw_experiences(run: Run, base: FrozenKnowledge) -> None:
    chosen = base.select(_choose_filter(base))
    rows = run_knowledge.experience_table(chosen)
    st.caption(f"{len(rows):,} of {len(base.entries.accuracy):,} match.")
    tables.draw_table(
        rows,
        height=430,
        alt="Experiences: accuracy, task, search, evaluation and architecture",
        column_config={"Accuracy (%)": st.column_config.NumberColumn(format="%.2f")},
    )
    st.download_button(
        "Download as CSV",
        icon=":material/download:",
        key="knowledge_csv",
        data=lambda: tables.csv_bytes(rows),
        file_name=f"experiences_{run.key[:8]}.csv",
        mime="text/csv",
        on_click="ignore",
    )


def _choose_filter(base: FrozenKnowledge) -> np.ndarray:
    there = [base.tasks[t] for t in np.unique(base.entries.task) if t < len(base.tasks)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tasks = st.multiselect(
            "Tasks", there, key="knowledge_tasks", width=220, placeholder="all"
        )
        positions, options = base.space.positions, base.space.options
        places = [ANY, *positions]
        position = st.selectbox("Decision", places, key="knowledge_at", width=130)
        at = positions.index(position) if position in positions else None
        option = None
        if at is not None:
            option = st.selectbox(
                "is", options[at], key=f"knowledge_is.{at}", width=150
            )
        accuracy = _choose_accuracy_range(base)
    asked = {at: str(option)} if at is not None and option else {}
    return run_knowledge.filter_experiences(base, tasks, asked, accuracy)


def _choose_accuracy_range(base: FrozenKnowledge) -> tuple[float, float] | None:
    """Draw the accuracy filter; return None if it covers the whole range."""
    known = base.entries.accuracy[np.isfinite(base.entries.accuracy)]
    if not len(known) or known.min() == known.max():
        return None
    low = float(np.floor(1000 * known.min()) / 10)
    high = float(np.ceil(1000 * known.max()) / 10)
    picked = st.slider(
        "Accuracy (%)", low, high, (low, high), 0.1, key="knowledge_accuracy", width=220
    )
    if picked == (low, high):
        return None
    return picked[0] / 100, picked[1] / 100


def _draw_principles(motifs: list[Motif], base: FrozenKnowledge) -> None:
    sentences = describe_principles(motifs, base.tasks)
    if not sentences:
        st.caption("No significant effects yet: more experiences are needed.")
    for sentence in sentences:
        st.markdown(f"- {escape_markdown(sentence)}")


def _draw_failures(motifs: Sequence[Motif]) -> None:
    risky = [m for m in motifs if np.isfinite(m.failing.ratio)]
    risky.sort(key=lambda m: -m.failing.low)
    rows: list[dict[str, Any]] = [
        {
            "Motif": m.words,
            "Risk ratio": round(m.failing.ratio, 2),
            "95 % interval": f"{m.failing.low:.2f} to {m.failing.high:.2f}",
            "In failures": f"{m.failing.share:.0%}",
            "Elsewhere": f"{m.failing.elsewhere:.0%}",
            "Significant": "yes" if m.failing.p < 0.05 else "no",
        }
        for m in risky[:12]
    ]
    page_elements.draw_heading(
        "Failure modes",
        "How much more often a motif occurs in failures than elsewhere. Failures are "
        "failed trainings and the worst tenth of each task.",
    )
    tables.draw_table(rows, alt="Motifs by how often they fail")
