"""The transfer matrix: what was learned on each source is worth on each target."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.charts.figure_cache import kept
from app.client import client
from app.client.catalogue import Study
from app.client.client import Run
from app.figures.theme import capitalized, learner_name, number
from app.figures.transfer_matrix import MEASURES, WORDS, interval, matrix_figure
from app.views.search import studies
from app.views.search.studies import Held
from app.widgets import frame, panels, tables
from app.widgets.escaping import plain
from engine.contract import kinds
from engine.contract.errors import Refused
from engine.contract.jobs import JobState
from engine.stats.search.transfer_matrix import Matrix, control_of, transfer_matrix

LOOKED = 60
EVERY = "Every finished run"


def page() -> None:
    """Draw the transfer matrix of a study, or of what has run so far."""
    panels.heading(
        "Transfer matrix",
        "What a strategy that learned on a source saves on a target, beside one that "
        "never learned, on the same searches. The sources' own evaluations are counted "
        "in the break-even.",
    )
    if not studies.ready():
        return
    known = {study.title: study for study in studies.studies() if study.matrix}
    picked = st.selectbox(
        *("From", [*known, EVERY]), key="matrix_from", bind="query-params", width=420
    )
    study = known.get(str(picked))
    if study is None:
        _matrices(_finished())
        return
    st.caption(plain(study.protocol))
    _study(study)


def _study(study: Study) -> None:
    """Draw a study's matrix as far as it is; polled while its runs run."""
    try:
        runs = studies.held(study)
    except Refused as refusal:
        panels.refused(refusal.message)
        return
    alive = any(run.alive for run in runs)

    def drawn() -> None:
        now = studies.held(study)
        studies.button(study, now, place="matrix")
        studies.progress(now)
        if alive and not any(run.alive for run in now):
            st.rerun()
        _matrices(studies.finished(now), _asked(now))
        with st.expander(f"Its {len(now)} runs"):
            studies.states(now)

    frame.polled(drawn, 2.0 if alive else None)()


def _asked(runs: Sequence[Held]) -> str:
    """Say what to do, or to wait for, until a study has its first row."""
    if any(run.alive for run in runs):
        return "Its runs are on their way: each that finishes fills a row."
    return f"Press **Measure**: each of its {len(runs)} runs fills a row."


def _finished() -> list[Run]:
    """Return the newest finished runs of searches."""
    jobs = client.jobs((JobState.DONE,), "", (LOOKED, 0))[0]
    keys = [
        job.key for job in jobs if client.kind(client.spec(job.key)) is kinds.SEARCH
    ]
    return [run for run in map(client.run, keys) if run is not None]


FREE = (
    "Each finished run fills a row: a strategy that learns from a **source**, one that "
    "does not beside it, and the **Other families** as targets."
)


def _matrices(runs: Sequence[Run], advice: str = FREE) -> None:
    fitting = [run for run in runs if run.blocks]
    found = _made(fitting, "")
    if found is None or not found.sources:
        panels.empty("Nothing was transferred yet", advice)
        return
    measure = st.segmented_control(
        *("Measure", list(MEASURES)),
        default="area", format_func=lambda name: MEASURES[name].title,
        key="matrix_measure", bind="query-params", required=True,
    )  # fmt: skip
    measure = str(measure) if measure in MEASURES else "area"
    label = _control(fitting)
    control = _made(fitting, label) if label else None
    columns = st.columns(2, gap="large") if control is not None else [st.container()]
    with columns[0]:
        title = f"{learner_name(found.learner)} against {learner_name(found.against)}"
        panels.chart(matrix_figure(found, measure, title=title), "matrix.found")
    if control is not None:
        with columns[1]:
            title = "Negative control: the source's accuracies shuffled"
            panels.chart(matrix_figure(control, measure, title=title), "matrix.control")
    if found.single:
        st.caption(
            "Where a row rests on one training, its intervals are over searches, and "
            "another training may differ."
        )
    _table(found)


def _control(runs: Sequence[Run]) -> str:
    return next(filter(None, (control_of(run) for run in runs)), "")


def _made(runs: Sequence[Run], learner: str) -> Matrix | None:
    """Return the matrix of a learner; by default of what each run has chosen."""
    if not runs:
        return None
    name = ("matrix", learner, *(run.edition for run in runs))
    return kept(name, lambda: transfer_matrix(runs, learner))


def _table(found: Matrix) -> None:
    """Show every number with its interval, and when the source is paid back."""
    rows: list[dict[str, Any]] = []
    for i, source in enumerate(found.sources):
        for j, target in enumerate(found.targets):
            if not found.n[i][j]:
                continue
            told = {
                measure.title: interval(getattr(found, name), i, j, measure)
                for name, measure in MEASURES.items()
            }
            rows.append(
                {
                    **{
                        "Learned on": capitalized(source),
                        "Searched": capitalized(target),
                    },
                    **{"Verdict": WORDS[int(found.sign[i][j])], **told},
                    "Break-even (targets)": _targets(found, i, j),
                    "n": int(found.n[i][j]),
                }
            )
    hurt = sum(row["Verdict"] == WORDS[-1] for row in rows)
    helps = sum(row["Verdict"] == WORDS[1] for row in rows)
    st.markdown(
        f"Of {len(rows)} pairs transfer helps in **{helps}** and hurts in **{hurt}** "
        "for sure; the others may go either way."
    )
    tables.draw(
        rows,
        alt="Every pair of source and target: all measures with intervals",
    )  # fmt: skip


def _targets(found: Matrix, i: int, j: int) -> str:
    """Say after how many targets the source's evaluations are paid back."""
    mean, low, high = (float(part[i][j]) for part in found.break_even)
    if mean != mean:
        return "not measured"
    if mean == float("inf"):
        return "never"
    end = "never" if high == float("inf") else number(high)
    return f"{number(mean)} [{number(low)}, {end}]"
