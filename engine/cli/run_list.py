"""runs list: the runs of the store, those of a sweep as one row."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from engine.cli.console import AsJson, Exit, out, print_json, print_status
from engine.contract.errors import Refused
from engine.contract.jobs import Job, JobState
from engine.contract.kinds import KINDS, current_name, kind_named
from engine.contract.run_facts import RunFacts
from engine.contract.run_groups import RunGroup
from engine.contract.text_decoding import clean
from engine.store import NoStore, RunGroups, Store
from engine.store.listing import (
    NEWEST,
    SORTS,
    JobFilter,
    Order,
    facts_of,
    jobs,
)
from engine.store.number_filter import parse_number_filter

ASLEEP = "the engine is asleep: start the app or `python -m engine supervise`"
_GROUP = "The runs of one sweep or claim: its id, or its first digits."
_KIND = f"Only this kind of task: {', '.join(KINDS)}."
_WHERE = 'Only runs whose number passes, such as "area < -3" or "replicates >= 8".'
_SORT = f"Sort by {', '.join(SORTS)}."


def list_runs(
    *,
    state: Annotated[str, typer.Option(help="Only runs in this state.")] = "",
    text: Annotated[
        str, typer.Option(help="Only runs whose title or description contains this.")
    ] = "",
    group: Annotated[str, typer.Option(help=_GROUP)] = "",
    kind: Annotated[str, typer.Option(help=_KIND)] = "",
    tag: Annotated[str, typer.Option(help="Only runs with this tag.")] = "",
    where: Annotated[str, typer.Option(help=_WHERE)] = "",
    sort: Annotated[str, typer.Option(help=_SORT)] = NEWEST.by,
    ascending: Annotated[
        bool, typer.Option("--ascending", help="Sort upwards.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="At most this many.")
    ] = 50,
    as_json: AsJson = False,
) -> int:
    """List runs and groups of runs, newest first; as JSON, every run by itself."""
    from engine.executors.supervisor import supervisor_status

    job_filter = JobFilter(
        _parse_states(state),
        text,
        task_kind=_check_kind(kind),
        tag=tag,
        number=parse_number_filter(where) if where else None,
    )
    order = _parse_order(sort, descending=not ascending)
    try:
        store = Store.open_existing()
    except NoStore:
        if as_json:  # a program gets valid JSON, whatever the exit code
            print_json([])
        raise
    job_filter = job_filter._replace(group=_find_group(store, group))
    if as_json:
        listed = jobs(store.index, job_filter, limit, 0, order)
        facts = facts_of(store.index, [job.key for job in listed])
        print_json([job_as_dict(job) | _facts_as_dict(facts, job) for job in listed])
        return Exit.OK
    found = _list_entries(store, job_filter, limit, order)
    facts = facts_of(store.index, [e.key for e in found if isinstance(e, Job)])
    is_filtered = job_filter._replace(group="") != JobFilter()
    nothing = "no run matches" if is_filtered else "no runs yet"
    out().print(_make_table(found, facts) if found else nothing)
    if any(JobState.QUEUED in _states_of(entry) for entry in found):
        awake = supervisor_status(store.home)
        if word := awake.trouble if awake else ASLEEP:
            print_status(word)
    return Exit.OK


def _list_entries(
    store: Store, job_filter: JobFilter, limit: int, order: Order
) -> Sequence[Job | RunGroup]:
    """Return runs and groups; the runs of a group by themselves if it is asked for."""
    if job_filter.group:
        return jobs(store.index, job_filter, limit, 0, order)
    return RunGroups(store.index).entries(job_filter, limit, 0, order)


def _make_table(
    entries: Iterable[Job | RunGroup], facts: Mapping[str, RunFacts]
) -> Table:
    columns = ("run", "state", "done", "submitted", "kind", "call", "title", "tags")
    table = Table(*columns, box=None)
    for entry in entries:
        when = datetime.fromtimestamp(entry.created).strftime("%Y-%m-%d %H:%M")
        key = entry.name if isinstance(entry, RunGroup) else entry.key[:12]
        progress = (str(entry.state), f"{entry.done:.0%}", when)
        table.add_row(key, *progress, *_describe_entry(entry, facts))
    return table


def _describe_entry(
    entry: Job | RunGroup, facts: Mapping[str, RunFacts]
) -> tuple[str, str, str, str]:
    """Return an entry's kind of task, call, title and tags."""
    if isinstance(entry, RunGroup):
        name = f"{entry.title} ({entry.noun}: {entry.describe_states()})"
        kinds = ", ".join(kind_named(kind).title for kind in entry.kinds if kind)
        return kinds, entry.describe_calls(), name, ""
    known = facts.get(entry.key)
    name = entry.title or entry.about
    if known is None:
        return "", "", name, ""
    kind = kind_named(known.kind).title if known.kind else ""
    return kind, known.answer.call if known.answer else "", name, ", ".join(known.tags)


def _facts_as_dict(facts: Mapping[str, RunFacts], job: Job) -> dict[str, object]:
    """Return what lists show of a run as JSON; null where nothing is known."""
    known = facts.get(job.key)
    named = ("task_kind", "answer", "numbers", "tags", "note")
    if known is None:
        return dict.fromkeys(named)
    answer = known.answer._asdict() if known.answer else None
    values = (known.kind, answer, dict(known.numbers), list(known.tags), known.note)
    return dict(zip(named, values, strict=True))


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


def _check_kind(kind: str) -> str:
    if kind and current_name(kind) not in KINDS:
        known = ", ".join(KINDS)
        raise Refused(f"unknown kind {kind[:40]!r}; must be one of {known}", "kind")
    return current_name(kind) if kind else ""


def _parse_order(sort: str, *, descending: bool) -> Order:
    if sort not in SORTS:
        known = ", ".join(SORTS)
        raise Refused(f"unknown column {sort[:40]!r}; must be one of {known}", "sort")
    return Order(sort, descending)


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
