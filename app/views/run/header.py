"""The top of a run: where it stands, and in the end the sentence to trust."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.client import client
from app.client.client import Run
from app.figures.theme import learner_name
from app.views.run import exports
from app.widgets import panels
from app.widgets.escaping import inert, plain
from engine.contract.appearance import name_in_words, split_label
from engine.contract.jobs import RESUMABLE, Job, JobState


def head(run: Run) -> DeltaGenerator:
    """Draw state, progress or verdict, whichever the run has.

    Returns:
        A place among the actions for what is only known below.
    """
    with st.container(key="verdict", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _badges(run)
            st.space("stretch")
            room = _actions(run)
        if run.summary:
            _sentence(run)
        elif run.alive:
            _progress(run)
        if run.job is not None and not run.alive:
            _ended(run)
    return room


def _badges(run: Run) -> None:
    word = "Verdict" if run.summary else "Run"
    st.html(f'<p class="eyebrow">{word}</p>', width="content")
    if run.recorded:
        st.badge("recorded", icon=":material/history:", color="gray")
    if run.job is not None:
        panels.state(run.job)
    st.caption(sample(run), width="content")


def _actions(run: Run) -> DeltaGenerator:
    exports.share(run)
    if run.blocks:
        exports.files(run)
    room = st.container(width="content")
    if run.job is not None:
        _moves(run, run.job)
    return room


def _moves(run: Run, job: Job) -> None:
    if run.alive:
        if st.button("Cancel", icon=":material/stop_circle:", key="cancel"):
            client.cancel(run.key)
            st.rerun()
    elif st.button("Run again", icon=":material/replay:", key="again", type="tertiary"):
        client.submit(run.spec, job.title, again=True)
        st.rerun()


def sample(run: Run) -> str:
    """Return what the numbers are over."""
    tasks, replicates = run.spec.budget.test_tasks, run.spec.replicates
    noun = run.kind.words.tests
    single = "no intervals" if noun == "tasks" else f"intervals over {noun} alone"
    level = "95 % intervals" if replicates > 1 else f"one replicate: {single}"
    return f"n = {replicates} × {tasks} {noun}, {level}"


def _sentence(run: Run) -> None:
    first, rest = split(str((run.summary or {}).get("sentence", "")))
    more = f' <span class="verdict-rest">{inert(rest)}</span>' if rest else ""
    st.html(f'<p class="verdict-line">{inert(first)}{more}</p>')
    if not any(role == "baseline" for role in run.roles.values()):
        st.caption("Baselines were turned off: there is nothing to compare with.")


def split(text: str) -> tuple[str, str]:
    """Return the sentence that answers the question, and those on other conditions.

    >>> split("On unseen waves: better (1.5 against 2). With 5 shots: worse.")
    ('On unseen waves: better (1.5 against 2).', 'With 5 shots: worse.')
    """
    first, stop, rest = text.partition(". ")
    return first + stop.rstrip(), rest


def _progress(run: Run) -> None:
    if run.job is None:
        return
    if run.job.state == JobState.QUEUED:
        state, trouble = client.engine_state(), client.engine_trouble()
        st.progress(0.0, text=panels.explain(run.job))
        if trouble:
            st.warning(plain(trouble))
        else:
            st.caption(_ENGINE[state])
    else:
        now = client.progress(run.key)
        left = f" · {panels.span(now.eta)} left" if now.eta is not None else ""
        text = f"{_stage_name(now.stage)} {now.text}{left}".strip()
        st.progress(min(1.0, max(0.0, now.done)), text=plain(text))
        st.caption(panels.explain(run.job))


def _stage_name(stage: str) -> str:
    """Name what a run does now; "train maml_plus" is "Train MAML++"."""
    verb, _, of = stage.partition(" ")
    named = learner_name(of) if split_label(of)[0] else name_in_words(of)
    return f"{verb.capitalize()} {named}".strip() or "Starting"


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
        client.resume(run.key)
        st.rerun()
