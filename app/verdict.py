"""The top of a run: where it stands, and in the end the sentence to trust."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import door, exports, panels
from app.door import Run
from app.figures.theme import nice, number
from app.plain import inert, plain
from engine.contract.jobs import RESUMABLE, JobState
from engine.contract.metrics import METRICS

SIGNS = {"better": "▲", "worse": "▼", "no difference": "=", "description": "·"}
CALLS = {"description": "described, not judged"}
SHOWN = 4


def head(run: Run) -> None:
    """Draw state, progress or verdict, whichever the run has."""
    with st.container(key="verdict", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _badges(run)
            st.space("stretch")
            _actions(run)
        if run.summary:
            _sentence(run)
        elif run.alive:
            _progress(run)
        if run.job is not None and not run.alive:
            _ended(run)


def _badges(run: Run) -> None:
    word = "Verdict" if run.summary else "Run"
    st.html(f'<p class="eyebrow">{word}</p>', width="content")
    if run.recorded:
        st.badge("recorded", icon=":material/history:", color="gray")
    if run.job is not None:
        panels.state(run.job)
    st.caption(sample(run), width="content")


def _actions(run: Run) -> None:
    exports.share(run)
    if run.blocks:
        exports.files(run)
    if run.job is None or run.alive:
        return
    if st.button("Run again", icon=":material/replay:", key="again", type="tertiary"):
        door.submit(run.spec, run.job.title, again=True)
        st.rerun()


def sample(run: Run) -> str:
    """Return what the numbers are over.

    >>> from engine.contract.runs import RunSpec
    """
    tasks, replicates = run.spec.budget.test_tasks, run.spec.replicates
    level = "95 % intervals" if replicates > 1 else "one replicate: no intervals"
    return f"n = {replicates} × {tasks} tasks, {level}"


def _sentence(run: Run) -> None:
    summary: Mapping[str, Any] = run.summary or {}
    claims = [claim_line(run, claim) for claim in summary.get("claims", [])[:SHOWN]]
    items = "".join(f"<li>{line}</li>" for line in claims)
    if not any(role == "baseline" for role in run.roles.values()):
        items += "<li>Baselines were turned off: nothing to compare with.</li>"
    st.html(
        f'<p class="verdict-line">{inert(summary.get("sentence", ""))}</p>'
        f'<ul class="claims">{items}</ul>'
    )


def claim_line(run: Run, claim: Mapping[str, Any]) -> str:
    """Return one claim as inert HTML: sign, word, numbers with their interval."""
    call = str(claim["call"])
    kind = METRICS[claim["metric"]]
    where = _where(claim["condition"])
    low, high = _shown(claim["low"]), _shown(claim["high"])
    text = (
        f"{nice(claim['learner'])} against {nice(claim['against'])}, {where}: "
        f"{CALLS.get(call, call)}, {kind.label.lower()} {_shown(claim['difference'])} "
        f"[{low}, {high}] {kind.unit}"
    )
    sign = SIGNS.get(call, "·")
    return f'<span class="sign" aria-hidden="true">{sign}</span>{inert(text)}'


def _shown(value: float | None) -> str:
    if value is None:
        return "n/a"
    return f"{'+' if value > 0 else ''}{number(value)}".replace("-", "−")


def _where(condition: Mapping[str, Any]) -> str:
    if condition.get("shift"):
        return f"{condition['shift'].replace('_', ' ')} {condition['severity']:g}"
    return str(condition.get("family") or "in place").replace("_", " ")


def _progress(run: Run) -> None:
    if run.job is None:
        return
    if run.job.state == JobState.QUEUED:
        state = door.engine_state()
        st.progress(0.0, text=panels.explain(run.job))
        st.caption(_ENGINE[state])
    else:
        now = door.progress(run.key)
        left = f" · {panels.span(now.eta)} left" if now.eta is not None else ""
        stage = nice(now.stage.replace(" ", "_")) if now.stage else "Starting"
        text = f"{stage} {now.text}{left}".strip()
        st.progress(min(1.0, max(0.0, now.done)), text=plain(text))
        st.caption(panels.explain(run.job))
    if st.button("Cancel", icon=":material/stop_circle:", key="cancel"):
        door.cancel(run.key)
        st.rerun()


_ENGINE = {
    "warm": "The engine is awake; a worker takes it in a moment.",
    "starting": "The engine is starting; this takes a few seconds, once.",
    "gone": "The engine ended and is started again. See `python -m engine doctor`.",
}


def _ended(run: Run) -> None:
    job = run.job
    if job is None or job.state == JobState.DONE:
        return
    shown = st.error if job.state == JobState.FAILED else st.warning
    shown(plain(panels.explain(job)))
    if job.traceback:
        with st.expander("Log"):
            st.code(job.traceback, language=None)
    if job.state in RESUMABLE and st.button(
        "Resume", icon=":material/play_arrow:", key="resume"
    ):
        door.resume(run.key)
        st.rerun()
