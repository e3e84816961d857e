"""The list of runs and groups: one page as a table, whose names open what they name."""

from collections.abc import Sequence

import streamlit as st

from app import session
from app.client import client, run_groups
from app.client.run_groups import Entry, ListPage
from app.views.runs import rows
from app.widgets import tables
from engine.contract.jobs import ALIVE, Job, JobState
from engine.contract.run_groups import RunGroup
from engine.executors.demo import is_demo
from engine.store.listing import JobFilter, Order

PER_PAGE = 25
TABLE, OPENED = "runs_table", "runs_opened"  # keys of the table and of a click
_HELD = "runs_held"


def read_chosen_page(asked: JobFilter, order: Order) -> ListPage:
    """Return the chosen page of the list; draw the pagination where it is needed.

    Args:
        asked: Which runs.
        order: How they are sorted.
    """
    number = int(st.session_state.get("runs_page") or 1)
    page = run_groups.read_page(asked, order, PER_PAGE, (number - 1) * PER_PAGE)
    pages = max(1, -(-page.total // PER_PAGE))
    if number > pages:  # a filter has left fewer
        st.session_state["runs_page"] = number = pages
        page = run_groups.read_page(asked, order, PER_PAGE, (pages - 1) * PER_PAGE)
    if pages > 1:
        chosen = st.pagination(pages, key="runs_page", persist_state="session")
        if chosen != number:
            offset = (chosen - 1) * PER_PAGE
            page = run_groups.read_page(asked, order, PER_PAGE, offset)
    return page


def describe_count(page: ListPage) -> str:
    """Return how many runs, or runs and groups, there are."""
    if any(isinstance(entry, RunGroup) for entry in page.entries):
        return f"{page.total:,} runs and groups"
    return f"{page.total:,} run{'s' * (page.total != 1)}"


def draw_table(page: ListPage) -> list[str]:
    """Draw one page of the list; return the ids of the selected rows.

    A click on a name opens it. While something is selected the rows keep their
    places, so that a new run cannot move another row under the pointer.
    """
    entries = [_live(entry) for entry in _hold_selection(page.entries)]
    jobs = [entry for entry in entries if isinstance(entry, Job)]
    waits = any(job.state == JobState.QUEUED for job in jobs)
    trouble = client.engine_trouble() if waits else ""
    queue = rows.QueueState(rows.typical_seconds(jobs), trouble)
    facts = run_groups.facts_of(job.key for job in jobs)
    picked = tables.draw_table(
        [
            rows.job_row(entry, facts.get(entry.key), queue)
            if isinstance(entry, Job)
            else rows.group_row(entry)
            for entry in entries
        ],
        key=TABLE,
        on_select="rerun",
        selection_mode="multi-row",
        height="content",
        column_config=_columns(),
        alt="Runs and groups: name, state, call, main numbers, question and age",
    )
    names = [_id_of(entry) for entry in entries]
    _open_clicked(entries)
    chosen = [row for row in picked["selection"]["rows"] if row < len(entries)]
    st.session_state[_HELD] = names if chosen else None
    return [names[row] for row in chosen]


def _live(entry: Entry) -> Entry:
    """Return a run of the demo with its place among those of all visitors."""
    if is_demo() and isinstance(entry, Job) and entry.state in ALIVE:
        return client.job(entry.key) or entry
    return entry


def _columns() -> dict[str, object]:
    text, config = st.column_config.TextColumn, st.column_config
    return {
        rows.NAME: config.ButtonColumn(
            type="tertiary",
            width=230,
            pinned=True,
            alignment="left",
            key=OPENED,
            help="Click a name to open the run, or the runs of a group.",
        ),
        "State": text(width=105),
        "Call": text(
            width=130,
            help="The answer to the run's primary question: the judged learner against "
            "its main rival, in distribution.",
        ),
        "Result": text(width=75, help="The judged learner's mean of the main metric."),
        "Rival": text(width=75, help="The main rival's mean of the same metric."),
        "Metric": text(width=150, help="The main metric of this kind of task."),
        "n": text(width=70, help="Replicates × tests per replicate."),
        "Question": text(width=320, help="The learners, their rivals and the task."),
        "Kind": text(width=95),
        "Age": text(width=120, help="Since the run was submitted."),
        "Tags": text(width=130),
        "Status": text(width=300),
        "Id": text(width=120, help="The first digits; any command takes them."),
    }


def _open_clicked(entries: Sequence[Entry]) -> None:
    """Open the run or group whose name was just clicked."""
    click = st.session_state.get(OPENED)
    if not click or click["row"] >= len(entries):
        return
    entry = entries[click["row"]]
    if isinstance(entry, Job):
        session.open_lab(entry.key)
    else:
        open_group(entry)


def open_group(group: RunGroup) -> None:
    """Open a group on this page."""
    st.query_params[session.SWEEP] = group.name
    clear_selection()
    st.rerun(scope="app")


def _id_of(entry: Entry) -> str:
    return entry.key if isinstance(entry, Job) else entry.name


def _hold_selection(entries: Sequence[Entry]) -> list[Entry]:
    held = st.session_state.get(_HELD)
    if not held:
        return list(entries)
    found = (client.job(name) or run_groups.find_group(name) for name in held)
    return [entry for entry in found if entry is not None]


def clear_selection() -> None:
    """Drop the selection."""
    st.session_state[_HELD] = None
    st.session_state.pop(TABLE, None)
