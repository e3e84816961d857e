"""The list of runs: filter, table, import, and actions on selected runs."""

import statistics
from collections.abc import Callable, Sequence

import streamlit as st

from app import session
from app.client import client, files, run_groups
from app.figures.theme import learner_name
from app.views import run_groups as group_view
from app.widgets import page_elements, tables
from app.widgets.escaping import escape_markdown
from engine.contract.errors import Refused
from engine.contract.jobs import ALIVE, FINAL, RESUMABLE, Job, JobState
from engine.contract.learner_appearance import name_in_words
from engine.contract.run_groups import RunGroup
from engine.contract.text_decoding import clean

PER_PAGE = 25
KEY_DIGITS = 64  # of a run; a sweep's id is shorter
FILTERS: dict[str, frozenset[JobState] | None] = {
    "all": None,
    "in work": ALIVE,
    "done": frozenset({JobState.DONE}),
    "unfinished": RESUMABLE | {JobState.DIVERGED},
}
_HELD = "runs_held"


def draw_filters() -> tuple[frozenset[JobState] | None, str]:
    """Draw the filter; return the wanted states (None: all) and the search text."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Find",
            key="find",
            bind="query-params",
            placeholder="Title, task, learner, shift or id",
            icon=":material/search:",
            max_chars=120,
            width=360,
        )
        shown = st.segmented_control(
            "Show",
            list(FILTERS),
            default="all",
            key="show",
            bind="query-params",
            required=True,
            format_func=str.capitalize,
        )
    return FILTERS.get(str(shown)), clean(text or "")


def choose_page(
    states: frozenset[JobState] | None, text: str, group: str = ""
) -> tuple[Sequence[Job | RunGroup], int]:
    """Draw pagination where needed; return one page of entries and the total count.

    Args:
        states: Only runs in these states; None for all.
        text: Words that a run must contain.
        group: Only the runs of this sweep, each by itself; empty for all entries.
    """
    _, total = run_groups.entries(states, text, (1, 0), group)
    pages = max(1, -(-total // PER_PAGE))
    number = 1
    if pages > 1:
        if st.session_state.get("runs_page", 1) > pages:
            st.session_state["runs_page"] = pages
        number = st.pagination(pages, key="runs_page", persist_state="session")
    place = (PER_PAGE, (number - 1) * PER_PAGE)
    return run_groups.entries(states, text, place, group)[0], total


def describe_count(entries: Sequence[Job | RunGroup], total: int) -> str:
    """Return how many runs, or runs and sweeps, there are."""
    if any(isinstance(entry, RunGroup) for entry in entries):
        return f"{total:,} runs and sweeps"
    return f"{total:,} run{'s' * (total != 1)}"


def draw_runs_table(entries: Sequence[Job | RunGroup]) -> list[str]:
    """Draw runs and sweeps as a table; return the ids of the selected ones.

    While something is selected the rows keep their places, so that a new run
    cannot move another row under the pointer.
    """
    entries = _hold_selection(entries)
    jobs = [entry for entry in entries if isinstance(entry, Job)]
    wait = _typical_seconds(jobs)
    queued = any(job.state == JobState.QUEUED for job in jobs)
    trouble = client.engine_trouble() if queued else ""
    picked = tables.draw_table(
        [
            _job_row(entry, wait, trouble)
            if isinstance(entry, Job)
            else group_view.list_row(entry)
            for entry in entries
        ],
        key="runs_table",
        on_select="rerun",
        selection_mode="multi-row",
        height="content",
        column_config={
            "State": st.column_config.TextColumn(width=110),
            "Experiment": st.column_config.TextColumn(width=360),
            "Done": st.column_config.ProgressColumn(
                format="percent", min_value=0.0, max_value=1.0, width="small"
            ),
            "Status": st.column_config.TextColumn(width=360),
            "Created": st.column_config.TextColumn(width=130),
            "Id": st.column_config.TextColumn(width=120),
        },
        alt="Runs, newest first: state, experiment, progress and status",
    )
    rows = [row for row in picked["selection"]["rows"] if row < len(entries)]
    names = [_id_of(entry) for entry in entries]
    st.session_state[_HELD] = names if rows else None
    return [names[row] for row in rows]


def _id_of(entry: Job | RunGroup) -> str:
    return entry.key if isinstance(entry, Job) else entry.name


def _entry_of(name: str) -> Job | RunGroup | None:
    return client.job(name) or run_groups.find_group(name)


def draw_import() -> None:
    """Draw the import of an exported run."""
    with st.popover("Import a run", icon=":material/upload:", key="import_run"):
        given = st.file_uploader(
            "An exported run (.zip)", type="zip", key="archive", max_upload_size=100
        )
        if given is not None and st.button("Import", key="import_now"):
            try:
                job = files.import_run_archive(given.getvalue(), _show_note)
            except Refused as refusal:
                page_elements.draw_refusal(refusal.message)
                return
            st.success(f"Imported as run `{job.key[:12]}`.", icon=":material/check:")


def _show_note(line: str) -> None:
    st.info(f"{line[:1].upper()}{line[1:]}.", icon=":material/info:")


def _hold_selection(entries: Sequence[Job | RunGroup]) -> list[Job | RunGroup]:
    held = st.session_state.get(_HELD)
    if not held:
        return list(entries)
    return [entry for name in held if (entry := _entry_of(name)) is not None]


def _job_row(job: Job, wait: float | None, trouble: str) -> dict[str, object]:
    look = page_elements.STATES[job.state]
    done = 1.0 if job.state == JobState.DONE else job.done
    about = name_in_words(job.about)
    return {
        "State": f"{look.sign} {'damaged' if job.damaged else look.word}",
        "Experiment": f"{job.title} · {about}" if job.title else about,
        "Done": done,
        "Status": _describe_status(job, wait, trouble),
        "Created": page_elements.format_age(job.created),
        "Id": job.key[:12],
    }


def _describe_status(job: Job, wait: float | None, trouble: str) -> str:
    if job.damaged:
        return f"Quarantined (damaged file): {job.damaged}"
    text = page_elements.explain_state(job, trouble)
    if job.state == JobState.QUEUED and wait and job.position and not trouble:
        return (
            f"{text} Starts in about "
            f"{page_elements.format_duration(wait * job.position)}."
        )
    return text


def _typical_seconds(jobs: Sequence[Job]) -> float | None:
    """Return the median duration of the finished runs on this page, seconds."""
    took = [
        job.finished - job.started
        for job in jobs
        if job.state == JobState.DONE and job.started and job.finished
    ]
    return statistics.median(took) if took else None


def runs_of(names: Sequence[str]) -> list[str]:
    """Return the keys of the selected runs, and of those of the selected sweeps."""
    keys: list[str] = []
    for name in names:
        is_group = len(name) != KEY_DIGITS
        keys.extend(run_groups.member_keys(name) if is_group else [name])
    return list(dict.fromkeys(keys))


def draw_actions(names: Sequence[str]) -> None:
    """Draw the actions on the selected runs and sweeps."""
    jobs = [job for key in runs_of(names) if (job := client.job(key)) is not None]
    if not jobs:
        st.caption(
            "Select runs in the first column to open, compare, cancel or delete."
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{len(jobs)} selected**")
        if len(names) == 1 and (group := run_groups.find_group(names[0])):
            group_view.draw_open(group)
        elif len(jobs) == 1 and st.button(
            "Open", icon=":material/open_in_new:", key="open"
        ):
            session.open_lab(jobs[0].key)
        alive = [job for job in jobs if job.state not in FINAL]
        _draw_bulk_action(alive, "Cancel", client.cancel)
        ended_early = [job for job in jobs if job.is_resumable]
        _draw_bulk_action(ended_early, "Resume", client.resume)
        with st.popover("Delete", icon=":material/delete:", key="delete_ask"):
            st.markdown(
                f"Delete {len(jobs)} run{'s' * (len(jobs) > 1)} and their files?"
            )
            if st.button("Delete permanently", key="delete", icon=":material/delete:"):
                for job in jobs:
                    client.delete(job.key)
                clear_selection()
                st.rerun()
    if len(jobs) == 1:
        _draw_single_run(jobs[0])


def _draw_bulk_action(
    jobs: Sequence[Job], word: str, do: Callable[[str], object]
) -> None:
    icon = {"Cancel": ":material/stop_circle:", "Resume": ":material/play_arrow:"}[word]
    if jobs and st.button(word, icon=icon, key=f"all_{word.lower()}"):
        for job in jobs:
            do(job.key)
        st.rerun()


def _draw_single_run(job: Job) -> None:
    """Show a single run's error and let the user rename it."""
    if job.error:
        st.error(escape_markdown(job.error))
    if job.traceback:
        with st.expander("Log"):
            st.code(job.traceback, language=None)
    with (
        st.form(f"rename.{job.key}", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        title = st.text_input("Title", job.title, max_chars=120, width=360)
        if st.form_submit_button("Rename"):
            client.rename(job.key, title or "")
            st.rerun()


def clear_selection() -> None:
    """Drop the selection."""
    st.session_state[_HELD] = None
    st.session_state.pop("runs_table", None)


def run_label(job: Job, run: client.Run) -> str:
    """Return a run's name in comparisons."""
    name = job.title or learner_name(run.judged_label)
    return f"{name} · {job.key[:6]}"
