"""The transfer matrix: what knowledge of each source saves on each target."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from app.charts.figure_cache import get_or_make
from app.client import client
from app.client.catalogue import Study
from app.client.client import Run
from app.client.recorded_claims import RecordedMatrix, read_board
from app.figures.theme import capitalize_name, format_number, learner_name
from app.figures.transfer_matrix import (
    CALL_WORDS,
    MEASURES,
    format_interval,
    transfer_measure_figure,
)
from app.views.claims import claim_states, studies
from app.views.claims.studies import StudyRun
from app.widgets import page_elements, page_frame, tables
from app.widgets.escaping import escape_markdown
from engine.contract import kinds
from engine.contract.errors import Refused
from engine.contract.jobs import JobState
from engine.stats.search.transfer_matrix import (
    TransferMatrix,
    control_label,
    transfer_matrix,
)

MAX_RUNS = 60
EVERY_RUN = "Every finished run"


def draw_transfer_matrix() -> None:
    """Draw the transfer matrix of a study, or of all finished runs."""
    page_elements.draw_heading(
        "Transfer matrix",
        "What a strategy that learned on a source saves on a target, compared with one "
        "that did not learn, on the same searches. The break-even includes the "
        "sources' own evaluations.",
    )
    recorded = read_board()
    if not studies.is_ready(skeleton=not recorded.matrices):
        shown = next(iter(recorded.matrices.values()), None)
        if shown is not None:
            _draw_recorded(shown)
        return
    known = {study.title: study for study in studies.list_studies() if study.matrix}
    picked = st.selectbox(
        "From", [*known, EVERY_RUN], key="matrix_from", bind="query-params", width=420
    )
    study = known.get(str(picked))
    if study is None:
        _draw_runs_matrix(_newest_search_runs())
        return
    st.caption(escape_markdown(study.protocol))
    _draw_study(study)


def _draw_study(study: Study) -> None:
    """Draw a study's matrix so far; polled while its runs are alive."""
    try:
        runs = studies.study_runs(study)
    except Refused as refusal:
        page_elements.draw_refusal(refusal.message)
        return
    alive = any(run.is_alive for run in runs)

    def draw_runs() -> None:
        now = studies.study_runs(study)
        studies.draw_measure_button(study, now, place="matrix")
        studies.draw_progress(now)
        if alive and not any(run.is_alive for run in now):
            st.rerun()
        done, shipped = studies.finished_runs(now), read_board().matrices
        if not done and study.name in shipped:
            _draw_recorded(shipped[study.name], claim_states.is_outdated(study))
        else:
            _draw_runs_matrix(done, _advise(now))
        its_runs = st.expander(
            f"Its {len(now)} runs", key="matrix_runs", on_change="rerun"
        )
        if its_runs.open:
            with its_runs:
                studies.draw_run_states(now)

    page_frame.poll(draw_runs, 2.0 if alive else None)()


def _advise(runs: Sequence[StudyRun]) -> str:
    """Return the text of the empty state, until a study has its first row."""
    if any(run.is_alive for run in runs):
        return "Its runs are queued or running: each that finishes fills a row."
    return f"Press **Measure**: each of its {len(runs)} runs fills one row."


def _newest_search_runs() -> list[Run]:
    """Return the newest finished runs of searches."""
    jobs = client.jobs((JobState.DONE,), "", (MAX_RUNS, 0))[0]
    keys = [
        job.key
        for job in jobs
        if client.kind_of_spec(client.spec(job.key)) is kinds.SEARCH
    ]
    return [run for run in map(client.run, keys) if run is not None]


DEFAULT_ADVICE = (
    "Each finished run fills one row. It needs a strategy that learns from a "
    "**source**, one that does not, and **Other families** as targets."
)


def _draw_recorded(recorded: RecordedMatrix, is_outdated: bool = False) -> None:
    studies.draw_recorded_badge(is_outdated)
    _draw_matrices(recorded.found, recorded.control)


def _draw_runs_matrix(runs: Sequence[Run], advice: str = DEFAULT_ADVICE) -> None:
    fitting = [run for run in runs if run.blocks]
    found = _cached_matrix(fitting, "")
    if found is None or not found.sources:
        page_elements.draw_empty("No transfer measured yet", advice)
        return
    label = _control_label(fitting)
    _draw_matrices(found, _cached_matrix(fitting, label) if label else None)


def _draw_matrices(found: TransferMatrix, control: TransferMatrix | None) -> None:
    """Draw a matrix, its negative control beside it, and all numbers in a table."""
    measure = st.segmented_control(
        "Measure",
        list(MEASURES),
        default="area",
        format_func=lambda name: MEASURES[name].title,
        key="matrix_measure",
        bind="query-params",
        required=True,
    )
    measure = str(measure) if measure in MEASURES else "area"
    columns = st.columns(2, gap="large") if control is not None else [st.container()]
    with columns[0]:
        title = f"{learner_name(found.learner)} against {learner_name(found.against)}"
        page_elements.draw_chart(_figure(found, measure, title), "matrix.found")
    if control is not None:
        with columns[1]:
            title = "Negative control: the source's accuracies shuffled"
            page_elements.draw_chart(_figure(control, measure, title), "matrix.control")
    if found.single:
        st.caption(
            "A row from a single training has intervals over searches; another "
            "training may differ."
        )
    _draw_table(found)


def _figure(matrix: TransferMatrix, measure: str, title: str) -> go.Figure:
    # Kept with the matrix, whose number no other one then gets.
    _, figure = get_or_make(
        ("matrix figure", id(matrix), measure, title),
        lambda: (matrix, transfer_measure_figure(matrix, measure, title=title)),
    )
    return figure


def _control_label(runs: Sequence[Run]) -> str:
    return next(filter(None, (control_label(run) for run in runs)), "")


def _cached_matrix(runs: Sequence[Run], learner: str) -> TransferMatrix | None:
    """Return the matrix of a learner; by default of each run's chosen one."""
    if not runs:
        return None
    name = ("matrix", learner, *(run.cache_key for run in runs))
    return get_or_make(name, lambda: transfer_matrix(runs, learner))


def _draw_table(matrix: TransferMatrix) -> None:
    """Draw every number with its interval, and the break-even."""
    _, table = get_or_make(
        ("matrix table", id(matrix)),  # kept with the matrix, as its figure is
        lambda: (matrix, tables.escape_table(_table_rows(matrix))),
    )
    calls = [call for row in matrix.calls for call in row]
    st.markdown(
        f"Of {len(table.frame)} pairs, transfer helps in "
        f"**{calls.count('better')}** and hurts in **{calls.count('worse')}**; in "
        f"{calls.count('equal')} it makes no difference that matters, and of the "
        "others one can't tell yet."
    )
    tables.draw_table(
        table,
        alt="All measures with intervals for every pair of source and target",
    )


def _table_rows(matrix: TransferMatrix) -> list[dict[str, Any]]:
    """Return the pairs that were measured as rows of texts and counts."""
    rows: list[dict[str, Any]] = []
    for i, source in enumerate(matrix.sources):
        for j, target in enumerate(matrix.targets):
            if not matrix.n[i][j]:
                continue
            measures = {
                measure.title: format_interval(getattr(matrix, name), i, j, measure)
                for name, measure in MEASURES.items()
            }
            rows.append(
                {
                    "Source": capitalize_name(source),
                    "Target": capitalize_name(target),
                    "Call": CALL_WORDS[matrix.calls[i][j]],
                    **measures,
                    "Break-even (targets)": _format_break_even(matrix, i, j),
                    "n": int(matrix.n[i][j]),
                }
            )
    return rows


def _format_break_even(matrix: TransferMatrix, i: int, j: int) -> str:
    """Format after how many targets the source's evaluations are paid back."""
    mean, low, high = (float(part[i][j]) for part in matrix.break_even)
    if mean != mean:
        return "not measured"
    if mean == float("inf"):
        return "never"
    end = "never" if high == float("inf") else format_number(high)
    return f"{format_number(mean)} [{format_number(low)}, {end}]"
