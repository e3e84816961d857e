"""Building blocks of every page: job states, charts with captions, empty states."""

import contextlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

import plotly.graph_objects as go
import streamlit as st

from app.client import client
from app.figures.curves import HOW_TO_READ
from app.widgets import page_frame
from app.widgets.escaping import escape_html, escape_markdown
from app.widgets.glossary import mark_terms
from app.widgets.live_plot import live_plot
from engine.contract.jobs import Job, JobState
from engine.contract.learner_appearance import name_in_words
from engine.executors.demo import is_demo


class StateBadge(NamedTuple):
    """How a state is shown: a word, a sign and a color, never a color alone."""

    word: str
    icon: str
    color: str
    sign: str


LONG_START = 90.0  # seconds from which on a run that has not begun is worth a worry
LOADING = (
    "The engine is loading, for about 5 to 30 s the first time. Later runs begin at "
    "once."
)

S = JobState
STATES: dict[JobState, StateBadge] = {
    S.QUEUED: StateBadge("queued", ":material/schedule:", "gray", "◷"),
    S.RUNNING: StateBadge("running", ":material/play_arrow:", "blue", "▶"),
    S.DONE: StateBadge("done", ":material/check:", "green", "✓"),
    S.FAILED: StateBadge("failed", ":material/error:", "red", "✕"),
    S.CANCELLED: StateBadge("cancelled", ":material/stop_circle:", "gray", "■"),
    S.DIVERGED: StateBadge("diverged", ":material/trending_up:", "orange", "↗"),
    S.PAUSED: StateBadge("paused", ":material/pause:", "orange", "Ⅱ"),
    S.STALLED: StateBadge("stalled", ":material/hourglass_disabled:", "orange", "…"),
    S.LOST: StateBadge("lost", ":material/link_off:", "orange", "?"),
    S.INTERRUPTED: StateBadge("interrupted", ":material/cut:", "orange", "¦"),
}


def draw_state(job: Job) -> None:
    """Show a job's state as a badge."""
    look = STATES[job.state]
    st.badge(look.word, icon=look.icon, color=look.color)  # type: ignore[arg-type]


def explain_state(job: Job, trouble: str = "") -> str:
    """Return one line on the state of a job and what the user can do.

    Args:
        job: The job.
        trouble: Why no worker takes a queued job; empty where one does.

    >>> explain_state(Job("k", JobState.QUEUED, "", 0.0, position=2))
    'Waits in the queue, place 2.'
    """
    texts = {
        S.QUEUED: lambda: f"{_explain_queued(job)} {trouble}".strip(),
        S.RUNNING: lambda: _explain_running(job),
        S.DONE: lambda: (
            f"Finished {format_age(job.finished)}{_describe_duration(job)}."
        ),
        S.FAILED: lambda: f"Failed: {job.error or 'no reason was recorded'}.",
        S.CANCELLED: lambda: "Cancelled. Resume continues from what was computed.",
        S.DIVERGED: lambda: (
            "Every task of the chosen learner diverged: lower its learning rate. "
            "In a search: no architecture could be trained; lower the failure rate."
        ),
        S.PAUSED: lambda: "Paused: the disk is full. Free some space, then resume.",
        S.STALLED: lambda: (
            f"No progress for {format_duration(job.beat)}: stalled. Resume or cancel."
        ),
        S.LOST: lambda: (
            "Its worker process died. Resume continues from the last checkpoint."
        ),
        S.INTERRUPTED: lambda: "Imported unfinished. Resume computes the rest.",
    }
    return texts[job.state]().replace("..", ".")


def _explain_queued(job: Job) -> str:
    place = f", place {job.position}" if job.position else ""
    # Below two seconds it says no more than the place does.
    start = (
        f" It starts in about {format_duration(job.wait)}."
        if is_demo() and job.wait is not None and job.wait >= 2
        else ""
    )
    return f"Waits in the queue{place}.{start}"


def _explain_running(job: Job) -> str:
    if not job.stage and (job.beat or 0.0) < LONG_START:
        return LOADING
    if job.beat is not None and job.beat > 10:
        silent = format_duration(job.beat)
        return f"Running, but nothing was heard of its worker for {silent}."
    return "Running."


def _describe_duration(job: Job) -> str:
    if job.started is None or job.finished is None:
        return ""
    return f" in {format_duration(job.finished - job.started)}"


def format_duration(seconds: float | None) -> str:
    """Format a duration.

    >>> format_duration(0.4), format_duration(75), format_duration(7300)
    ('0 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds is None:
        return "an unknown time"
    whole = int(max(0.0, seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def keep_end(told: float | None, expected: float, now: float) -> float:
    """Return when a run ends, as told before while that is still about right.

    The pace of a run varies from stage to stage: told anew each second, the time left
    would go up and down.

    Args:
        told: The end that was told last (Unix time, seconds); None if none was.
        expected: The end by the pace so far.
        now: The present moment.

    >>> keep_end(None, 480, 0), keep_end(480, 550, 60), keep_end(480, 900, 60)
    (480, 480, 900)
    """
    if told is None or told <= now:
        return expected
    slack = max(5.0, 0.25 * (expected - now))
    return told if abs(expected - told) <= slack else expected


def describe_time_left(seconds: float) -> str:
    """Describe the time left as coarsely as it can be known.

    >>> describe_time_left(3), describe_time_left(41), describe_time_left(130)
    ('a few seconds', '45 s', '3 min')
    """
    if seconds < 5:
        return "a few seconds"
    if seconds <= 55:
        return f"{5 * math.ceil(seconds / 5)} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes / 60:.1f} h"


def format_age(moment: float | None) -> str:
    """Format how long ago a moment (Unix time, seconds) was, to one unit.

    >>> format_age(None)
    'at an unknown time'
    """
    if moment is None:
        return "at an unknown time"
    # The clock may have been set back since.
    seconds = max(0.0, time.time() - moment)
    if seconds < 60:
        return "just now"
    for size, noun in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {noun}{'s' if count > 1 else ''} ago"
    return "just now"


def draw_heading(title: str, how_to_read: str = "") -> None:
    """Write a panel's title and one line on how to read it, its terms explained."""
    line = f'<p class="panel-read">{mark_terms(how_to_read)}</p>' if how_to_read else ""
    st.html(f'<h2 class="panel-title">{escape_html(title)}</h2>{line}')


_drawn: ContextVar[dict[str, go.Figure] | None] = ContextVar("drawn", default=None)


@contextlib.contextmanager
def collect_figures() -> Iterator[dict[str, go.Figure]]:
    """Collect the figures that are drawn within the context, by title."""
    made: dict[str, go.Figure] = {}
    token = _drawn.set(made)
    try:
        yield made
    finally:
        _drawn.reset(token)


def drawn_figures() -> dict[str, go.Figure]:
    """Return the figures that the page has drawn so far, by title."""
    return dict(_drawn.get() or {})


def draw_chart(
    fig: go.Figure,
    key: str,
    *,
    height: int | None = None,
    narrow: go.Figure | None = None,
    pick: bool = False,
) -> int | None:
    """Draw a figure with its title, its how-to-read line and its alt text.

    Args:
        fig: The figure; its `meta` holds the words.
        key: Stable name of the chart on the page.
        height: Pixels; the figure's own height if None.
        narrow: The same traces laid out for a phone.
        pick: Whether to report which mark was clicked.

    Returns:
        The number of the mark that was just clicked, if any.
    """
    meta: Mapping[str, Any] = fig.layout.meta or {}
    held = _drawn.get()
    if held is not None:
        title, part = meta.get("title") or key, key.rpartition(".")[2]
        held[f"{title} · {name_in_words(part)}" if title in held else title] = fig
    draw_heading(
        meta.get("title", ""),
        meta.get("how_to_read", "").removeprefix(meta.get("once", HOW_TO_READ)).strip(),
    )
    alt = meta.get("alt", meta.get("title", key))
    return live_plot(fig, key=key, alt=alt, height=height, narrow=narrow, pick=pick)


def draw_facts(pairs: Mapping[str, object]) -> None:
    """Show names and values side by side, as plain text."""
    rows = "".join(
        f"<div><dt>{escape_html(name)}</dt><dd>{escape_html(value)}</dd></div>"
        for name, value in pairs.items()
    )
    st.html(f'<dl class="facts">{rows}</dl>')


def draw_empty(title: str, text: str, icon: str = ":material/science:") -> None:
    """Draw an empty state: what will appear here and what to do for it."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f"{icon} **{title}**", text_alignment="center")
        st.markdown(text, text_alignment="center")


def draw_refusal(message: str, *, title: str | None = None) -> None:
    """Show why an input was rejected; nothing was changed."""
    st.error(escape_markdown(message), icon=":material/block:", title=title)


def wait_for_catalogue(text: str, heights: Sequence[int]) -> None:
    """Say that the catalogue is being made; rerun the page when it is there.

    Args:
        text: What is waited for; empty for a placeholder alone.
        heights: Heights of the placeholders, pixels.
    """
    page_frame.poll(_poll_catalogue, 0.7)(text, tuple(heights))


def _poll_catalogue(text: str, heights: Sequence[int]) -> None:
    if client.is_catalogue_ready():
        st.rerun()
    if client.catalogue_error():
        draw_refusal(client.catalogue_error())
        return
    if text:
        st.caption(text)
    for height in heights:
        st.skeleton(height)
