"""runs list: the runs of the store, those of a sweep as one row."""

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from engine.cli.console import AsJson, Exit, out, print_json, print_status
from engine.contract.errors import Refused
from engine.contract.jobs import Job, JobState
from engine.contract.run_groups import RunGroup
from engine.contract.text_decoding import clean
from engine.store import NoStore, RunGroups, Store
from engine.store.listing import JobFilter, jobs

ASLEEP = "the engine is asleep: start the app or `python -m engine supervise`"
_GROUP = "The runs of one sweep: its id, or its first digits."


def list_runs(
    *,
    state: Annotated[str, typer.Option(help="Only runs in this state.")] = "",
    text: Annotated[
        str, typer.Option(help="Only runs whose title or description contains this.")
    ] = "",
    group: Annotated[str, typer.Option(help=_GROUP)] = "",
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="At most this many.")
    ] = 50,
    as_json: AsJson = False,
) -> int:
    """List runs and sweeps, newest first; as JSON, every run by itself."""
    from engine.executors.supervisor import supervisor_status

    states = _parse_states(state)
    try:
        store = Store.open_existing()
    except NoStore:
        if as_json:  # a program gets valid JSON, whatever the exit code
            print_json([])
        raise
    job_filter = JobFilter(states, text, group=_find_group(store, group))
    if as_json:
        print_json(
            [job_as_dict(job) for job in jobs(store.index, job_filter, limit, 0)]
        )
        return Exit.OK
    found = _list_entries(store, job_filter, limit)
    out().print(_make_table(found) if found else "no runs yet")
    if any(JobState.QUEUED in _states_of(entry) for entry in found):
        awake = supervisor_status(store.home)
        if word := awake.trouble if awake else ASLEEP:
            print_status(word)
    return Exit.OK


def _list_entries(
    store: Store, job_filter: JobFilter, limit: int
) -> Sequence[Job | RunGroup]:
    """Return runs and groups; the runs of a group by themselves if it is asked for."""
    if job_filter.group:
        return jobs(store.index, job_filter, limit, 0)
    return RunGroups(store.index).entries(job_filter, limit)


def _make_table(entries: Iterable[Job | RunGroup]) -> Table:
    table = Table("run", "state", "done", "submitted", "title", box=None)
    for entry in entries:
        if isinstance(entry, RunGroup):
            name = f"{entry.title} (sweep: {entry.describe_states()})"
        else:
            name = entry.title or entry.about
        when = datetime.fromtimestamp(entry.created).strftime("%Y-%m-%d %H:%M")
        key = entry.name if isinstance(entry, RunGroup) else entry.key[:12]
        table.add_row(key, str(entry.state), f"{entry.done:.0%}", when, name)
    return table


def _states_of(entry: Job | RunGroup) -> Collection[JobState]:
    return entry.states if isinstance(entry, RunGroup) else (entry.state,)


def _find_group(store: Store, start: str) -> str:
    """Return the id of the sweep that begins with these digits; empty for empty.

    Raises:
        Refused: If there is none, or more than one.
    """
    if not start:
        return ""
    found = RunGroups(store.index).find(start.strip().lower())
    if found is None:
        raise Refused(
            f"no sweep, or more than one, has an id that begins with "
            f"{clean(start)[:40]!r}",
            "group",
        )
    return found.name


def _parse_states(state: str) -> list[JobState] | None:
    if not state:
        return None
    try:
        return [JobState(state)]
    except ValueError:
        known = ", ".join(JobState)
        raise Refused(
            f"unknown state {state[:40]!r}; must be one of {known}", "state"
        ) from None


def job_as_dict(job: Job) -> dict[str, object]:
    """Return a job as JSON."""
    return dataclasses.asdict(job)
