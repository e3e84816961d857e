"""Runs that were asked for together are one entry of the list, and open to its runs."""

import sqlite3

from engine.contract.jobs import Job, JobState
from engine.contract.run_groups import RunGroup
from engine.store import RunGroups, Store, repair
from engine.store.listing import JobFilter, count, jobs
from engine.store.run_groups import NewMember
from tests.store import fake

ALL = JobFilter()


def filed(store: Store, group: str, *keys: str) -> RunGroups:
    groups = RunGroups(store.index)
    groups.add(
        group, f"sweep {group}", [NewMember(k, {"n": i}) for i, k in enumerate(keys)]
    )
    return groups


def names(entries: list[Job | RunGroup]) -> list[str]:
    return [e.name if isinstance(e, RunGroup) else e.key for e in entries]


def test_a_group_is_one_entry_beside_the_runs_in_none(store: Store) -> None:
    keys = [fake.submit(store, seed) for seed in range(4)]
    groups = filed(store, "aa11", keys[1], keys[2])
    entries = groups.entries(ALL, 10)
    assert names(entries) == [keys[3], "aa11", keys[0]]
    assert groups.count_entries(ALL) == 3
    group = entries[1]
    assert isinstance(group, RunGroup)
    assert (group.title, group.size, group.state) == ("sweep aa11", 2, JobState.QUEUED)
    assert names(groups.entries(ALL, 1, 1)) == ["aa11"]


def test_a_run_may_be_in_two_groups(store: Store) -> None:
    a, b, c = (fake.submit(store, seed) for seed in range(3))
    filed(store, "aa11", a, b)
    groups = filed(store, "bb22", b, c)
    assert sorted(names(groups.entries(ALL, 10))) == ["aa11", "bb22"]
    assert [m.job.key for m in groups.members("aa11")] == [a, b]
    assert [m.job.key for m in groups.members("bb22")] == [b, c]


def test_members_keep_their_order_and_values(store: Store) -> None:
    keys = [fake.submit(store, seed) for seed in range(3)]
    groups = filed(store, "aa11", keys[2], keys[0])
    members = groups.members("aa11")
    assert [(m.job.key, m.values) for m in members] == [
        (keys[2], {"n": 0}),
        (keys[0], {"n": 1}),
    ]
    held = JobFilter(group="aa11")
    assert count(store.index, held) == 2
    assert {job.key for job in jobs(store.index, held, 10, 0)} == {keys[0], keys[2]}


def test_a_filter_finds_the_groups_of_the_runs_that_pass(store: Store) -> None:
    keys = [fake.played(store, 1), fake.submit(store, 2), fake.submit(store, 3)]
    groups = filed(store, "aa11", keys[0], keys[1])
    done = JobFilter([JobState.DONE])
    assert names(groups.entries(done, 10)) == ["aa11"]
    assert groups.entries(done, 10)[0].states == {JobState.DONE: 1, JobState.QUEUED: 1}
    assert groups.entries(done, 10)[0].done == 0.5
    assert groups.entries(JobFilter(text="no such"), 10) == []


def test_a_run_that_starts_over_or_is_deleted_is_still_right(store: Store) -> None:
    keys = [fake.played(store, seed) for seed in (1, 2)]
    groups = filed(store, "aa11", *keys)
    spec = fake.spec(1)
    store.submit(spec, keys[0], again=True)
    assert [m.job.state for m in groups.members("aa11")] == ["queued", "done"]
    store.delete(keys[1])
    assert [m.job.key for m in groups.members("aa11")] == [keys[0]]
    store.delete(keys[0])
    assert groups.find("aa11") is None
    assert groups.entries(ALL, 10) == []


def test_groups_survive_a_rebuilt_index(store: Store) -> None:
    filed(store, "aa11", fake.played(store, 1))
    store.index.path.write_bytes(b"no database" * 100)
    repair.check_store(store.index, deep=False)
    found = RunGroups(store.index).find("aa")
    assert found is not None
    assert (found.name, found.size) == ("aa11", 1)


def test_a_damaged_entry_leaves_its_group_and_hurts_no_other(store: Store) -> None:
    keys = [fake.played(store, seed) for seed in (1, 2)]
    groups = filed(store, "aa11", *keys)
    with sqlite3.connect(store.index.path) as db:
        db.execute(
            "UPDATE texts SET text = replace(text, '0', '7')"
            " WHERE key = ? AND name = 'group:aa11'",
            (keys[0],),
        )
    assert [m.job.key for m in groups.members("aa11")] == [keys[1]]
