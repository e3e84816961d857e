"""Groups of runs, kept as one JSON value per run and group.

A run may be in several groups: a sweep that asks for a run which another one has
computed lists it, too.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from engine.contract.jobs import Job, JobState
from engine.contract.run_groups import SWEEP, GroupMember, RunGroup
from engine.contract.text_decoding import clean
from engine.store import fact_rows, index_entry_backup, listing, run_rows
from engine.store.index import Index
from engine.store.listing import NEWEST, JobFilter, Order
from engine.store.row_seals import matches_seal

PREFIX = "group:"
_IN_GROUP = f"name >= '{PREFIX}' AND name < 'group;'"  # ; follows : in ASCII
# A run in no group is an entry of its own, one in two groups belongs to two entries.
# Memberships are listed once, from their index: beside summaries in the table itself,
# a search for each run would read all of it.
_ENTRIES = """
WITH held AS MATERIALIZED (SELECT key, name FROM texts WHERE {grouped})
SELECT COALESCE(held.name, found.key) AS entry, held.name,
  MAX(found.created) AS newest, {first}(found.rank) AS rank
FROM (
  SELECT runs.key, runs.created, {rank} AS rank FROM {joined} WHERE {where}
) AS found
LEFT JOIN held ON held.key = found.key
GROUP BY entry
"""


class NewMember(NamedTuple):
    """A stored run that joins a group, and the values that set it apart."""

    key: str
    values: Mapping[str, Any]


class RunGroups:
    """The groups of a store.

    Args:
        index: The store's index.
    """

    def __init__(self, index: Index) -> None:
        self._index = index

    def add(
        self, group: str, title: str, members: list[NewMember], noun: str = SWEEP
    ) -> None:
        """Put stored runs into a group; to repeat it changes nothing.

        Args:
            group: The group's id, 12 hex digits.
            title: Shown in lists; cleaned.
            members: The runs, in the order in which they are listed.
            noun: What the group is: a sweep, or the runs of a claim.
        """
        name = PREFIX + group

        def change(db: sqlite3.Connection) -> None:
            for place, member in enumerate(members):
                if run_rows.find(db, member.key) is None:
                    continue  # deleted meanwhile
                values = list(member.values.items())  # JSON objects have no order
                text = {
                    "title": clean(title),
                    "place": place,
                    "values": values,
                    "noun": noun,
                }
                run_rows.put_text(db, member.key, name, text)
                run_rows.recount(db, member.key)

        self._index.write(change)
        for member in members:
            index_entry_backup.write(self._index, member.key)

    def entries(
        self, job_filter: JobFilter, limit: int, offset: int = 0, order: Order = NEWEST
    ) -> list[Job | RunGroup]:
        """List groups, and the runs that are in none; groups by their first run.

        Args:
            job_filter: Which runs; a group is listed if one of its runs is.
            limit: Return at most this many.
            offset: Skip this many.
            order: How entries are sorted.
        """
        asked, values = _entries_query(job_filter, order)
        sorted_by = listing.order_clause("rank", order)
        asked += f" ORDER BY {sorted_by}, newest DESC, entry LIMIT ? OFFSET ?"

        def ask(db: sqlite3.Connection) -> list[Job | RunGroup]:
            found = db.execute(asked, (*values, limit, offset)).fetchall()
            keys = [entry for entry, name, *_ in found if name is None]
            single = {job.key: job for job in listing.jobs_by_key(db, keys)}
            groups = {n: _group(db, n) for _, n, *_ in found if n is not None}
            return [groups[name] if name else single[key] for key, name, *_ in found]

        return self._index.read(ask)

    def count_entries(self, job_filter: JobFilter) -> int:
        """Count what `entries` would list without a limit."""
        asked, values = _entries_query(job_filter, NEWEST)
        counted = f"SELECT count(*) FROM ({asked})"
        return self._index.read(
            lambda db: int(db.execute(counted, values).fetchone()[0])
        )

    def find(self, start: str) -> RunGroup | None:
        """Return the group whose id begins with these digits; None if there is none."""
        low, high = PREFIX + start, PREFIX + start + "g"  # g follows the hex digits
        asked = "SELECT DISTINCT name FROM texts WHERE name >= ? AND name < ? LIMIT 2"

        def ask(db: sqlite3.Connection) -> RunGroup | None:
            found = db.execute(asked, (low, high)).fetchall()
            return _group(db, found[0][0]) if len(found) == 1 else None

        return self._index.read(ask)

    def members(self, group: str) -> list[GroupMember]:
        """Return a group's runs, in the order in which they were added."""

        def ask(db: sqlite3.Connection) -> list[GroupMember]:
            held = _texts(db, PREFIX + group)
            jobs = {job.key: job for job in listing.jobs_by_key(db, list(held))}
            order = sorted(held, key=lambda key: held[key]["place"])
            return [
                GroupMember(jobs[key], dict(held[key]["values"]))
                for key in order
                if key in jobs
            ]

        return self._index.read(ask)


def _entries_query(job_filter: JobFilter, order: Order) -> tuple[str, list[object]]:
    where, values = listing.where_clause(job_filter)
    asked = _ENTRIES.format(
        where=where,
        grouped=_IN_GROUP,
        joined=listing.JOINED,
        rank=listing.SORTS[order.by],
        first="MAX" if order.descending else "MIN",
    )
    return asked, values


def memberships(db: sqlite3.Connection, key: str) -> dict[str, Any]:
    """Return the JSON values that put a run into groups, by name.

    Args:
        db: An open transaction.
        key: The run's key.
    """
    asked = f"SELECT name, text, seal FROM texts WHERE key = ? AND {_IN_GROUP}"
    return {
        name: json.loads(text)
        for name, text, sealed in db.execute(asked, (key,)).fetchall()
        if matches_seal(sealed, key, name, text)
    }


def _texts(db: sqlite3.Connection, name: str) -> dict[str, Any]:
    """Return the values of a group's runs, by key; damaged ones are left out."""
    asked = "SELECT key, text, seal FROM texts WHERE name = ?"
    return {
        key: json.loads(text)
        for key, text, sealed in db.execute(asked, (name,)).fetchall()
        if matches_seal(sealed, key, name, text)
    }


def _group(db: sqlite3.Connection, name: str) -> RunGroup:
    asked = (
        "SELECT state, count(*), sum(CASE state WHEN ? THEN 1.0 ELSE done END),"
        " max(created) FROM runs"
        " WHERE key IN (SELECT key FROM texts WHERE name = ?) GROUP BY state"
    )
    found = db.execute(asked, (JobState.DONE, name)).fetchall()
    states = {JobState(state): count for state, count, _, _ in found}
    held = _texts(db, name)
    about = next(iter(held.values()), {})
    facts = fact_rows.find_all(db, held)
    return RunGroup(
        name.removeprefix(PREFIX),
        about.get("title", ""),
        max((created for *_, created in found), default=0.0),
        states,
        sum(done for _, _, done, _ in found) / max(1, sum(states.values())),
        noun=about.get("noun", SWEEP),
        calls=Counter(each.answer.call for each in facts.values() if each.answer),
        kinds=tuple(dict.fromkeys(each.kind for each in facts.values())),
    )
