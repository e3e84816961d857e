"""Sweeps, as the page Runs lists and opens them."""

from collections.abc import Iterable, Sequence

from app.client.catalogue import Study
from app.client.process_store import store
from engine.contract.claim_groups import (
    claim_group_id,
    claim_group_title,
    values_apart,
)
from engine.contract.jobs import Job, JobState
from engine.contract.run_groups import RunGroup
from engine.export import sweep_table
from engine.store import RunGroups, listing
from engine.store.run_groups import NewMember


def entries(
    states: Iterable[JobState] | None, text: str, page: tuple[int, int], group: str
) -> tuple[Sequence[Job | RunGroup], int]:
    """List sweeps, and the runs that are in none, the newest first.

    Args:
        states: Only runs in these states, and the sweeps of such; None for all.
        text: Words that a run's title, key or part names must contain.
        page: Maximum number of entries, and how many to skip.
        group: List the runs of this sweep instead; empty for no such list.

    Returns:
        The entries of the page, and the total number of matches.
    """
    held = list(states) if states is not None else None
    job_filter = listing.JobFilter(held, text, group=group)
    index = store().index
    if group:
        return listing.jobs(index, job_filter, *page), listing.count(index, job_filter)
    groups = RunGroups(index)
    return groups.entries(job_filter, *page), groups.count_entries(job_filter)


def find_group(name: str) -> RunGroup | None:
    """Return the sweep of this id; None if there is none."""
    found = RunGroups(store().index).find(name) if name else None
    return found if found is not None and found.name == name else None


def member_keys(name: str) -> list[str]:
    """Return the keys of a sweep's runs."""
    return [member.job.key for member in RunGroups(store().index).members(name)]


def file_claim(study: Study, keys: Sequence[str]) -> str:
    """List the stored runs of a claim as one group; return its id.

    Args:
        study: The claim's study.
        keys: Keys of its runs, in the order of its specs.
    """
    group, apart = claim_group_id(study.name), values_apart(study.specs)
    members = [NewMember(*each) for each in zip(keys, apart, strict=True)]
    RunGroups(store().index).add(group, claim_group_title(study.title), members)
    return group


def read_results(name: str) -> list[sweep_table.SweepResult]:
    """Return the runs of a sweep with their answers."""
    return sweep_table.read_results(store(), name)
