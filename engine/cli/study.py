"""study: list the claims of the literature, or measure one of them."""

import math
import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from engine.cli.console import (
    AsJson,
    Exit,
    Home,
    out,
    print_error,
    print_json,
    print_status,
)
from engine.contract.jobs import ALIVE, RESUMABLE, JobState

if TYPE_CHECKING:
    from engine.contract.run_spec import RunSpec
    from engine.stats.claims_board import StudyVerdict
    from engine.store import Store
    from engine.studies import Study

_NAME = "Name of the claim; without one, all claims are listed."
_LOOK = 0.5  # seconds between two polls of runs that other processes compute


def study(
    name: Annotated[str, typer.Argument(help=_NAME)] = "",
    *,
    home: Home = None,
    as_json: AsJson = False,
) -> int:
    """List the claims, or measure one; its runs are stored like any other."""
    from engine.catalogue import discover_parts
    from engine.studies import studies, study

    discover_parts()
    if not name:
        return _list_studies(studies(), as_json)
    chosen = study(name)
    from engine.store import Store

    print_status(chosen.protocol)
    store = Store.open(home)
    keys = [_submit_run(store, spec, chosen.title) for spec in chosen.specs]
    _file_as_group(store, chosen, keys)
    _play_until_done(store, keys)
    jobs = [job for job in map(store.job, keys) if job]
    lost = [job for job in jobs if job.state != JobState.DONE]
    if lost:
        print_error(f"{len(lost)} of {len(keys)} runs did not finish: {lost[0].error}")
        return Exit.FAILED
    from engine.export import RunRecord
    from engine.stats.claims_board import judge_study

    records = [RunRecord.from_store(store, key) for key in keys]
    return _report_verdict(chosen, judge_study(name, records), as_json)


def _list_studies(known: "tuple[Study, ...]", as_json: bool) -> int:
    if as_json:
        print_json([each.as_json() for each in known])
        return Exit.OK
    table = Table("name", "claim", "runs", "measured on", box=None)
    for each in known:
        table.add_row(each.name, each.sentence, str(len(each.specs)), each.ground)
    out().print(table)
    return Exit.OK


def _submit_run(store: "Store", spec: "RunSpec", title: str) -> str:
    """Queue a run unless the store has it; return its key."""
    from engine.catalogue import find_card
    from engine.contract.run_keys import run_key
    from engine.executors.in_process import settle_spec

    full = settle_spec(spec)
    key = run_key(full, find_card)
    found = store.job(key)
    # An unfinished run keeps its checkpoint; to submit it would change nothing.
    if found is not None and found.state in RESUMABLE:
        store.resume(key)
    else:
        store.submit(full, key, title)
    return key


def _file_as_group(store: "Store", chosen: "Study", keys: list[str]) -> None:
    """List the runs of a claim as one group."""
    from engine.contract.claim_groups import claim_group_id, values_apart
    from engine.contract.run_groups import CLAIM
    from engine.store.run_groups import NewMember, RunGroups

    apart = values_apart(chosen.specs)
    members = [NewMember(*each) for each in zip(keys, apart, strict=True)]
    group = claim_group_id(chosen.name)
    RunGroups(store.index).add(group, chosen.title, members, CLAIM)


def _play_until_done(store: "Store", keys: list[str]) -> None:
    """Wait until these runs are done; compute them here if no supervisor does."""
    from engine.executors.supervisor import supervisor_status

    before = -1
    while waiting := [k for k in keys if (j := store.job(k)) and j.state in ALIVE]:
        if len(waiting) != before:
            print_status(f"{len(keys) - len(waiting)} of {len(keys)} runs are done")
            before = len(waiting)
        # A running supervisor has workers of its own: two would share the cores.
        if supervisor_status(store.home) or not _play_next(store):
            time.sleep(_LOOK)


def _play_next(store: "Store") -> bool:
    from engine.executors.allocator import configure_allocator
    from engine.executors.stop_signal import StopSignal
    from engine.executors.worker import play
    from engine.executors.worker_functions import load_toolkit
    from engine.runner.memory_limit import cap_memory

    claim = store.claim()
    if claim is None:
        return False
    configure_allocator()
    cap_memory()
    play(store, claim, load_toolkit(), StopSignal())
    return True


def replace_nonfinite(value: object) -> object:
    """Return a value that JSON can hold: NaN and ±∞ become null.

    Args:
        value: Any nesting of dicts, lists, tuples, numbers and texts.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: replace_nonfinite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [replace_nonfinite(each) for each in value]
    return value


def _format_cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:g}" if math.isfinite(value) else ""


def _report_verdict(chosen: "Study", found: "StudyVerdict", as_json: bool) -> int:
    if as_json:
        print_json({**chosen.as_json(), "judgment": replace_nonfinite(found._asdict())})
        return Exit.OK
    ends = f"{found.estimate:.3g} [{found.low:.3g}, {found.high:.3g}] {found.unit}"
    for said in (f"“{chosen.sentence}”", f"{found.verdict}: {ends}", found.reason):
        out().print(said, soft_wrap=True)
    table = Table("what", "mean", "low", "high", "n", box=None)
    for row in found.rows:
        table.add_row(*map(_format_cell, row.values()))
    out().print(table)
    return Exit.OK
