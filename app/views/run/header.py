"""The top of a run: title, state, actions, progress, and in the end the call."""

import time
from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import session, visitors
from app.client import client
from app.client.client import Run
from app.figures.theme import learner_name
from app.results.run_title import run_title
from app.views.compare.selection import open_comparison
from app.views.run import call_panel, longer_run
from app.views.run.reproduce.export_menu import draw_export_button
from app.views.run.reproduce.qr_code import draw_qr_code
from app.views.run.reproduce.share_link import draw_copy_link
from app.widgets import page_elements, page_frame
from app.widgets.escaping import escape_html, escape_markdown
from engine.contract.effort import Effort, effort_of
from engine.contract.errors import Refused
from engine.contract.events import stage_in_words
from engine.contract.jobs import Job, JobState
from engine.contract.learner_appearance import name_in_words, split_label
from engine.executors.demo import is_demo
from engine.stats.learner_claims import primary_claim
from engine.stats.verdicts.wording import format_count
from engine.store import StoreError

_END = "told_end"  # the run whose end was told last, and when that will be


def draw_header(run: Run, titles: Mapping[str, str]) -> DeltaGenerator:
    """Draw title, state and actions, then progress or the call.

    Args:
        run: The run in view.
        titles: Titles of parts, by name.

    Returns:
        The export menu, to be filled later in the script.
    """
    with st.container(key="verdict", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _draw_title(run, titles)
            _draw_badges(run)
            st.space("stretch")
            menu = _draw_actions(run)
        if run.summary:
            _draw_verdict(run, titles)
        elif run.is_alive:
            _draw_progress(run)
        if run.job is not None and not run.is_alive:
            _draw_end(run)
    return menu


def _draw_title(run: Run, titles: Mapping[str, str]) -> None:
    title = run_title(run, titles)
    st.html(f'<h1 class="run-title">{escape_html(title)}</h1>', width="content")


def _draw_badges(run: Run) -> None:
    if run.is_recorded:
        st.badge("recorded", icon=":material/history:", color="gray")
        size = format_count(run.replicates, "replicate")
        st.caption(f"an example: one batch of {size}", width="content")
    if run.job is not None:
        page_elements.draw_state(run.job)
        if not client.owns(run.key):
            _draw_whose(run.key)
    if sample := describe_sample(run):
        st.caption(sample, width="content")


def _draw_whose(key: str) -> None:
    """Say why a run that is not the visitor's own is there, and what can't be done."""
    ships = visitors.is_public(key)
    st.badge(
        "shipped; read-only" if ships else "opened by a link; read-only",
        icon=":material/visibility:",
        color="gray",
        help="Not one of your runs: it can be looked at, compared and exported. "
        "Run it yourself to keep it, name it and tag it.",
    )


def _draw_actions(run: Run) -> DeltaGenerator:
    draw_copy_link(run)
    draw_qr_code(run)
    menu = draw_export_button()
    longer_run.draw_longer_run(run)
    if run.job is not None:
        _draw_run_actions(run, run.job)
    return menu


def _cancel(key: str) -> None:
    try:
        client.cancel(key)
    except (Refused, StoreError) as error:
        session.add_notice(str(error))


def _draw_run_actions(run: Run, job: Job) -> None:
    if run.is_alive:
        # By callback: the polled part may start over before it comes to its buttons.
        st.button(
            "Cancel",
            icon=":material/stop_circle:",
            key="cancel",
            on_click=_cancel,
            args=(run.key,),
        )
        return
    if st.button(
        "Compare",
        icon=":material/compare_arrows:",
        key="compare_this",
        type="tertiary",
        help="Puts this run beside others: curves, numbers and settings.",
    ):
        open_comparison([run.key])
    _draw_rerun(run, job)


def _draw_rerun(run: Run, job: Job) -> None:
    """Draw the button that computes a run again, or takes over one of others."""
    if not client.owns(run.key):
        pressed = st.button(
            "Run it yourself",
            icon=":material/play_arrow:",
            key="again",
            type="tertiary",
            help="Adds this experiment to your runs. Its result is known, so it is "
            "there at once.",
        )
    elif is_demo():
        return  # what is known is never computed twice: others may look at it
    else:
        pressed = st.button(
            "Run again", icon=":material/replay:", key="again", type="tertiary"
        )
    if pressed:
        with page_frame.show_errors():
            client.submit(run.spec, job.title, again=True)
            st.rerun()


def describe_sample(run: Run) -> str:
    """Return how many replicates and tests there are, until the call says so."""
    nothing = run.job is not None and not run.blocks and not run.is_alive
    if nothing or primary_claim(run.claims) is not None:
        return ""
    tasks, replicates = run.spec.budget.test_tasks, run.replicates
    noun = run.kind.words.tests
    single = "no intervals" if noun == "tasks" else f"intervals over {noun} only"
    # Levels stand beside each interval: those of claims differ from those of charts.
    level = "" if replicates > 1 else f": {single}"
    return f"{format_count(replicates, 'replicate')} × {tasks} {noun}{level}"


def _draw_verdict(run: Run, titles: Mapping[str, str]) -> None:
    call_panel.draw_call(run, titles)
    if not any(role == "baseline" for role in run.roles.values()):
        st.caption("All baselines were off: there is nothing to compare with.")


def _draw_progress(run: Run) -> None:
    if run.job is None:
        return
    if run.job.state == JobState.QUEUED:
        state, trouble = client.wake_engine(), client.engine_trouble()
        st.progress(0.0, text=page_elements.explain_state(run.job))
        if trouble:
            st.warning(escape_markdown(trouble))
        else:
            st.caption(_ENGINE[state])
    else:
        now = client.progress(run.key)
        left = _time_left(run, now.eta) if now.stage and now.done < 1 else ""
        parts = [_stage_name(now.stage), now.text, left]
        text = " · ".join(filter(None, parts))
        # `st.progress` raises outside 0 to 1.
        st.progress(min(1.0, max(0.0, now.done)), text=escape_markdown(text))
        st.caption(page_elements.explain_state(run.job))
        _draw_shards(client.shards(run.key))


def _draw_shards(shards: Sequence[Job]) -> None:
    """Draw, on demand, the batches that other workers compute ahead of their turn."""
    if not shards:
        return
    with st.expander("Batches of replicates computed ahead"):
        for shard in shards:
            stage = _stage_name(shard.stage) if shard.state == JobState.RUNNING else ""
            done = f"{100 * shard.done:.0f} %" if stage else ""
            parts = [shard.title.capitalize(), shard.state, stage, done]
            st.caption(escape_markdown(" · ".join(filter(None, parts))))


def _time_left(run: Run, seconds: float | None) -> str:
    """Return the time left as text; of a run until decided, the most."""
    if seconds is None:
        return "estimating the time left"
    decides = effort_of(run.spec) is Effort.UNTIL_DECIDED
    most = "at most" if decides else "about"
    now, (key, told) = time.time(), st.session_state.get(_END, ("", None))
    end = page_elements.keep_end(told if key == run.key else None, now + seconds, now)
    st.session_state[_END] = run.key, end
    return f"{most} {page_elements.describe_time_left(end - now)} left"


def _stage_name(stage: str) -> str:
    """Return a stage's name for the screen: "train maml_plus" is "Train MAML++"."""
    verb, _, of = stage_in_words(stage).partition(" ")
    named = learner_name(of) if split_label(of)[0] else name_in_words(of)
    return f"{verb.capitalize()} {named}".strip() or "Starting"


_ENGINE = {
    "warm": "The engine is running, and takes the run when it is its turn.",
    "starting": "The engine is starting; this takes a few seconds.",
    "gone": "The engine stopped and is being restarted. See `python -m engine doctor`.",
}


def _draw_end(run: Run) -> None:
    job = run.job
    if job is None or job.state == JobState.DONE:
        return
    shown = st.error if job.state == JobState.FAILED else st.warning
    shown(escape_markdown(page_elements.explain_state(job)))
    if job.traceback and not is_demo():  # it names folders of the operator's machine
        with st.expander("Log"):
            st.code(job.traceback, language=None, wrap_lines=True)
    if job.is_resumable and st.button(
        "Resume", icon=":material/play_arrow:", key="resume"
    ):
        with page_frame.show_errors():
            client.resume(run.key)
            st.rerun()
