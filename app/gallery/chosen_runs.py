"""Which runs a gallery shows: named ones, or the recorded and the finished ones."""

from collections.abc import Sequence

from app.client import client, recorded_examples
from app.client.client import Run
from app.report.__main__ import find_key
from engine.contract.errors import Refused
from engine.contract.jobs import ALIVE, Job, JobState
from engine.contract.kinds import KINDS
from engine.store import NoRun, NoStore, RunGroups, Store

MOST = 200  # pages; one index of more is hardly looked through


def choose_keys(names: Sequence[str], *, recorded: bool) -> list[str]:
    """Return the keys of the runs that a gallery shows, in its order.

    Args:
        names: First digits of runs' ids, or ids of groups. If empty, all finished runs
            of the store, after the recorded examples.
        recorded: Whether to show the recorded examples beside the named runs; without
            any, them alone.

    Raises:
        Refused: If a name fits nothing that has results, or there are too many.
    """
    examples = list(_recorded_runs()) if recorded or not names else []
    if names:
        Store.open_existing()  # reading creates no store
        held = [key for name in names for key in _find_keys(name)]
    else:
        held = [] if recorded else _finished_keys()
    keys = list(dict.fromkeys([*examples, *held]))
    if len(keys) > MOST:
        raise Refused(
            f"these are {len(keys):,} runs, and a gallery holds at most {MOST}; name "
            "the runs or groups that it shows",
            "runs",
        )
    if not keys:
        raise Refused("there is no finished run to show", "runs")
    return keys


def load_run(key: str) -> Run:
    """Return a run of the store, else the recorded example with this key."""
    recorded = _recorded_runs()
    # A run of the user's own has its title, and perhaps more replicates.
    if key not in recorded or (has_store() and client.job(key) is not None):
        return client.run(key)
    return recorded[key]


def _recorded_runs() -> dict[str, Run]:
    found = (recorded_examples.recorded_run(kind) for kind in KINDS)
    return {run.key: run for run in found if run is not None}


def has_store() -> bool:
    """Whether there is a store; none is created."""
    try:
        Store.open_existing()
    except NoStore:
        return False
    return True


def _finished_keys() -> list[str]:
    if not has_store():
        return []
    jobs, total = client.jobs([JobState.DONE], page=(MOST + 1, 0))
    if total > MOST:
        raise Refused(
            f"the store holds {total:,} finished runs, and a gallery holds at most "
            f"{MOST}; name the runs or groups that it shows",
            "runs",
        )
    return [job.key for job in jobs]


def _find_keys(name: str) -> list[str]:
    """Return the keys of the run or of the group with this name."""
    try:
        key = find_key(name)
    except NoRun:
        group = RunGroups(client.store().index).find(name.strip().lower())
        if group is None:
            raise Refused(
                f"no run and no group has an id that begins with {name[:64]}", "runs"
            ) from None
        members = RunGroups(client.store().index).members(group.name)
        jobs = [member.job for member in members]
        found = [job.key for job in jobs if _has_results(job)]
        if found:
            return found
        raise Refused(
            f"no run of {group.noun} {group.name} has results", "runs"
        ) from None
    job = client.job(key)
    if job is None or not _has_results(job):
        state = job.state if job else "gone"
        raise Refused(
            f"run {key[:12]} is {state}; a gallery shows runs that have ended with "
            "results",
            "runs",
        )
    return [key]


def _has_results(job: Job) -> bool:
    return job.state not in ALIVE and bool(client.run(job.key).blocks)
