"""The list of runs as the page Runs shows it: runs and groups, their facts and tags."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from app.client.catalogue import Study
from app.client.process_store import listed_store, store
from engine.contract.annotations import Annotations
from engine.contract.claim_groups import claim_group_id, values_apart
from engine.contract.jobs import Job
from engine.contract.run_facts import RunFacts
from engine.contract.run_groups import CLAIM, RunGroup
from engine.export import sweep_table
from engine.store import RunGroups, annotations, listing
from engine.store.listing import JobFilter, Order
from engine.store.run_groups import NewMember

Entry = Job | RunGroup


class ListPage(NamedTuple):
    """One page of the list.

    Args:
        entries: Its runs and groups.
        total: How many there are on all pages.
        facts: What is known of its runs, by key.
    """

    entries: Sequence[Entry]
    total: int
    facts: Mapping[str, RunFacts]


def read_page(
    job_filter: JobFilter, order: Order, limit: int, offset: int = 0
) -> ListPage:
    """Read one page: groups and the runs in none, or the runs of one group.

    Args:
        job_filter: Which runs; a group is listed if one of its runs is.
        order: How they are sorted.
        limit: At most this many.
        offset: Skip this many.
    """
    index = listed_store().index
    found: Sequence[Entry]
    if job_filter.group:
        found = listing.jobs(index, job_filter, limit, offset, order)
        total = listing.count(index, job_filter)
    else:
        groups = RunGroups(index)
        found = groups.entries(job_filter, limit, offset, order)
        total = groups.count_entries(job_filter)
    return ListPage(found, total, facts_of(e.key for e in found if isinstance(e, Job)))


def facts_of(keys: Iterable[str]) -> dict[str, RunFacts]:
    """Return what lists show of runs, by key."""
    return listing.facts_of(store().index, keys)


def keys_starting(start: str) -> list[str]:
    """Return the keys of at most two runs that begin with these hex digits."""
    return listing.keys_starting(store().index, start)


def all_tags() -> list[str]:
    """Return every tag that a run has."""
    return listing.all_tags(store().index)


def read_annotations(key: str) -> Annotations:
    """Return a run's tags and note."""
    return annotations.read_annotations(store().index, key)


def annotate(key: str, tags: Sequence[str], note: str) -> Annotations:
    """Replace a run's tags and note; returns them as they are stored."""
    return annotations.annotate(store().index, key, tuple(tags), note)


def add_tags(keys: Iterable[str], tags: Sequence[str]) -> None:
    """Give runs further tags."""
    for key in keys:
        held = read_annotations(key)
        annotate(key, (*held.tags, *tags), held.note)


def find_group(name: str) -> RunGroup | None:
    """Return the group of this id; None if there is none."""
    found = RunGroups(listed_store().index).find(name) if name else None
    return found if found is not None and found.name == name else None


def member_keys(name: str) -> list[str]:
    """Return the keys of a group's runs."""
    return [member.job.key for member in RunGroups(listed_store().index).members(name)]


def file_claim(study: Study, keys: Sequence[str]) -> str:
    """List the stored runs of a claim as one group; return its id.

    Args:
        study: The claim's study.
        keys: Keys of its runs, in the order of its specs.
    """
    group, apart = claim_group_id(study.name), values_apart(study.specs)
    members = [NewMember(*each) for each in zip(keys, apart, strict=True)]
    RunGroups(store().index).add(group, study.title, members, CLAIM)
    return group


def read_results(name: str) -> list[sweep_table.SweepResult]:
    """Return the runs of a group with their answers."""
    return sweep_table.read_results(store(), name)
