"""What a run's searches left behind: its experiences, motifs and principles."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from app.charts import knowledge
from app.charts.figure_cache import kept
from app.charts.knowledge import FrozenKnowledge
from app.client import client
from app.client.client import Run
from app.figures.motifs import motifs_figure
from app.figures.theme import capitalized, learner_name
from app.form import knowledge_import
from app.widgets import panels, tables
from app.widgets.escaping import plain
from app.widgets.panels import coming
from engine.contract.blocks import Artefact
from engine.stats.search.motifs import Motif, motifs, principles

ANY = "any"


def tab(run: Run) -> None:
    """Draw the knowledge base of a run."""
    if run.alive:
        text = (
            "Strategies that remember other tasks' searches show here what they kept."
        )
        coming(run, "The knowledge base comes at the end", text)
        knowledge_import.offer(run)
        return
    labels, film = bases(run), run.film("film")
    if not labels or film is None:
        panels.empty(
            "This run keeps no knowledge base",
            "Run a strategy that remembers other tasks' searches, such as **Warm "
            "evolution**: what it remembers is shown here when it has finished.",
        )
        knowledge_import.offer(run)
        return
    base = _base(run, labels, film)
    left, right = st.columns([3, 2], gap="large")
    found = _found(run, base)
    with left:
        panels.heading("Experiences")
        _experiences(run, base)
    with right:
        panels.heading("Design principles", "In words, each with its evidence.")
        _principles(found, base)
        knowledge_import.offer(run)
    if found:
        panels.chart(motifs_figure(found), "knowledge.motifs")
        _failures(found)


def bases(run: Run) -> list[str]:
    """Return the strategies of a run that froze a knowledge base."""
    if not client.catalogue_ready():
        return []
    known = client.catalogue()
    return [
        entry.label
        for entry in run.spec.learners
        if entry.label in run.frozen
        and known.card("learner", entry.name).traits.get("knowledge")
    ]


def _base(run: Run, labels: Sequence[str], film: Artefact) -> FrozenKnowledge:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            *("Remembered by", labels),
            format_func=learner_name,
            key="knowledge_of",
            bind="query-params",
            width=220,
        )
        frozen = run.learned(str(label))
        assert frozen is not None  # `bases` has listed it
        count = knowledge.replicates(frozen)
        replicate = st.selectbox(
            *("Training", range(count)),
            format_func=lambda r: f"{r + 1} of {count}",
            key="knowledge_replicate", width=130,
        )  # fmt: skip
        st.download_button(
            "JSON", icon=":material/download:", key="knowledge_json",
            data=lambda: knowledge.file(frozen, film),
            file_name=f"knowledge_{run.key[:8]}.json", mime="application/json",
            on_click="ignore", help="All trainings; it can be imported again.",
        )  # fmt: skip
    base = knowledge.read(frozen, film, int(replicate or 0))
    space = plain(capitalized(base.space.name))
    st.caption(
        f"{len(base.entries.accuracy):,} experiences of {space} are kept, of "
        f"{base.seen:,} that came by: the best, and a uniform sample of all."
    )
    return base


def _found(run: Run, base: FrozenKnowledge) -> list[Motif]:
    space, held = base.space, base.entries
    content = hash((held.accuracy.tobytes(), held.codes.tobytes()))
    return kept(
        ("motifs", run.edition, content),
        lambda: motifs(
            held.codes,
            held.accuracy,
            space.options,
            space.edges,
            positions=space.positions,
            task=held.task,
        ),
    )


def _experiences(run: Run, base: FrozenKnowledge) -> None:
    chosen = base.take(_filter(base))
    rows = knowledge.table(chosen)
    st.caption(f"{len(rows):,} of {len(base.entries.accuracy):,} fit.")
    tables.draw(
        rows, height=430,
        alt="Experiences: accuracy, task, search, evaluation and architecture",
        column_config={"Accuracy (%)": st.column_config.NumberColumn(format="%.2f")},
    )  # fmt: skip
    st.download_button(
        "CSV of these", icon=":material/download:", key="knowledge_csv",
        data=lambda: tables.csv_bytes(rows),
        file_name=f"experiences_{run.key[:8]}.csv", mime="text/csv",
        on_click="ignore",
    )  # fmt: skip


def _filter(base: FrozenKnowledge) -> np.ndarray:
    there = [base.tasks[t] for t in np.unique(base.entries.task) if t < len(base.tasks)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tasks = st.multiselect("Tasks", there, key="knowledge_tasks", width=220,
                               placeholder="all")  # fmt: skip
        positions, options = base.space.positions, base.space.options
        places = [ANY, *positions]
        position = st.selectbox("Decision", places, key="knowledge_at", width=130)
        at = positions.index(position) if position in positions else None
        option = None
        if at is not None:
            option = st.selectbox("is", options[at], key=f"knowledge_is.{at}",
                                  width=150)  # fmt: skip
        accuracy = _range(base)
    asked = {at: str(option)} if at is not None and option else {}
    return knowledge.chosen(base, tasks, asked, accuracy)


def _range(base: FrozenKnowledge) -> tuple[float, float] | None:
    """Ask for a range of accuracies; none where the whole range is wanted."""
    known = base.entries.accuracy[np.isfinite(base.entries.accuracy)]
    if not len(known) or known.min() == known.max():
        return None
    low = float(np.floor(1000 * known.min()) / 10)
    high = float(np.ceil(1000 * known.max()) / 10)
    picked = st.slider(
        *("Accuracy (%)", low, high, (low, high), 0.1),
        key="knowledge_accuracy", width=220,
    )  # fmt: skip
    if picked == (low, high):
        return None
    return picked[0] / 100, picked[1] / 100


def _principles(found: list[Motif], base: FrozenKnowledge) -> None:
    told = principles(found, base.tasks)
    if not told:
        st.caption("Nothing is beyond chance yet: more experiences are needed.")
    for sentence in told:
        st.markdown(f"- {plain(sentence)}")


def _failures(found: Sequence[Motif]) -> None:
    risky = [m for m in found if np.isfinite(m.failing.ratio)]
    risky.sort(key=lambda m: -m.failing.low)
    rows: list[dict[str, Any]] = [
        {
            "Motif": m.words,
            "Times as often": round(m.failing.ratio, 2),
            "95 % interval": f"{m.failing.low:.2f} to {m.failing.high:.2f}",
            "In failures": f"{m.failing.share:.0%}",
            "Elsewhere": f"{m.failing.elsewhere:.0%}",
            "Beyond chance": "yes" if m.failing.p < 0.05 else "no",
        }
        for m in risky[:12]
    ]
    panels.heading(
        "Failure modes",
        "Failures: trainings that failed, and the worst tenth of each task. How much "
        "more often a motif is in them than elsewhere.",
    )
    tables.draw(rows, alt="Motifs by how often they fail")
