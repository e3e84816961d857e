"""Visitors of the demo have their runs apart, and each run is computed once."""

import inspect
import os
import time
from pathlib import Path

import pytest

from engine.contract.jobs import JobState
from engine.store import NoRun, RunGroups, Store, annotations
from engine.store.idle_workspaces import empty_idle
from engine.store.run_groups import NewMember
from engine.store.share_tokens import is_share_token, share_token
from engine.store.workspaces import WorkspaceStore
from tests.store import fake

ANN, BOB = "a" * 32, "b" * 32
# Methods of a store that are asked about no run, or serve the shared store alone.
WITHOUT_KEY = {"open", "open_existing", "check_in_place", "jobs", "count", "claim"}
WITHOUT_KEY |= {"recorder", "sweep", "check", "tidy", "backup", "follow", "submit"}
WITHOUT_KEY |= {"set_rules", "count_eligible", "count_refusal"}
WITHOUT_KEY |= {"jobs_by_key"}


def visitor(store: Store, name: str) -> WorkspaceStore:
    return WorkspaceStore(store, name)


def test_a_run_of_one_visitor_is_nobody_elses(store: Store) -> None:
    ann, bob = visitor(store, ANN), visitor(store, BOB)
    key = fake.submit(ann, 1)
    fake.played(store, 1)
    ann.rename(key, "my secret")
    assert ann.job(key).state == JobState.DONE
    assert bob.jobs() == []
    assert bob.job(key) is None
    assert bob.jobs_by_key([key]) == {}
    assert ann.jobs_by_key([key])[key].title == "my secret"
    asked = {
        name: method
        for name, method in inspect.getmembers(Store, inspect.isfunction)
        if not name.startswith("_") and name not in WITHOUT_KEY
    }
    more = {"rename": ("x",), "artefact": ("walk",)}
    for name in asked.keys() - {"job", "owns"}:
        with pytest.raises(NoRun):
            getattr(bob, name)(key, *more.get(name, ()))
    assert ann.job(key).title == "my secret"
    assert store.job(key).title == ""


def test_the_same_experiment_is_computed_once(store: Store) -> None:
    ann, bob = visitor(store, ANN), visitor(store, BOB)
    key = fake.submit(ann, 1)
    assert fake.submit(bob, 1) == key
    assert (ann.job(key).position, bob.job(key).position) == (1, 1)
    fake.played(store, 1)
    assert store.claim() is None
    for each in (ann, bob, visitor(store, "c" * 32)):
        assert fake.submit(each, 1) == key  # for the third one it is there at once
        assert each.job(key).state == JobState.DONE
        assert fake.stored(each, key) == fake.unbroken(fake.spec(1))
        assert each.summary(key)["seed"] == 1


def test_a_finished_run_stays_when_the_shared_store_drops_it(store: Store) -> None:
    ann = visitor(store, ANN)
    key = fake.submit(ann, 1)
    fake.played(store, 1)
    ann.follow()
    [blocks] = (ann.folder(key)).glob("*.arrow")
    assert blocks.stat().st_nlink == 2  # its space is taken once
    store.delete(key)
    assert fake.stored(ann, key) == fake.unbroken(fake.spec(1))
    assert ann.check() == []


def test_cancel_stops_only_what_nobody_else_waits_for(store: Store) -> None:
    ann, bob = visitor(store, ANN), visitor(store, BOB)
    key = fake.submit(ann, 1)
    fake.submit(bob, 1)
    assert ann.cancel(key).state == JobState.CANCELLED
    assert store.job(key).state == bob.job(key).state == JobState.QUEUED
    assert ann.resume(key).state == JobState.QUEUED
    ann.cancel(key)
    bob.delete(key)
    assert store.job(key).state == JobState.CANCELLED


def test_no_visitor_cancels_a_run_of_the_operator(store: Store) -> None:
    ann = visitor(store, ANN)
    key = fake.submit(store, 1)
    fake.submit(ann, 1)
    ann.cancel(key)
    assert store.job(key).state == JobState.QUEUED


def test_tags_notes_and_groups_are_the_workspaces(store: Store) -> None:
    ann, bob = visitor(store, ANN), visitor(store, BOB)
    key = fake.submit(ann, 1)
    fake.submit(bob, 1)
    annotations.annotate(ann.index, key, ("mine",), "private")
    RunGroups(ann.index).add("0123456789ab", "group", [NewMember(key, {})])
    fake.played(store, 1)
    ann.follow()
    bob.follow()
    assert annotations.read_annotations(ann.index, key).note == "private"
    assert annotations.read_annotations(bob.index, key).note == ""
    assert RunGroups(ann.index).find("0123456789ab") is not None
    assert RunGroups(bob.index).find("0123456789ab") is None


def test_a_finished_run_can_be_opened_for_reading(store: Store) -> None:
    key = fake.submit(visitor(store, ANN), 1)
    bob = WorkspaceStore(store, BOB, can_read=lambda asked: asked == key)
    assert bob.job(key) is None  # not before it is finished
    fake.played(store, 1)
    assert bob.job(key).state == JobState.DONE
    assert not bob.owns(key)
    assert bob.jobs() == []
    assert fake.stored(bob, key) == fake.unbroken(fake.spec(1))
    with pytest.raises(NoRun):
        bob.delete(key)


def test_a_visitor_who_only_looks_leaves_no_folder(store: Store, home: Path) -> None:
    assert visitor(store, ANN).jobs() == []
    assert not (home / "workspaces" / ANN).exists()


def test_an_idle_workspace_is_emptied_and_its_runs_are_left(store: Store) -> None:
    ann, bob = visitor(store, ANN), visitor(store, BOB)
    key, other = fake.submit(ann, 1), fake.submit(bob, 2)
    past = time.time() - 7200
    os.utime(ann.home / "index.sqlite", (past, past))
    assert empty_idle(store, 3600) == 1
    assert not ann.home.exists()
    assert store.job(key).state == JobState.CANCELLED
    assert bob.job(other).state == JobState.QUEUED


def test_a_share_token_opens_its_run_alone(store: Store, home: Path) -> None:
    one, other = "1" * 64, "2" * 64
    token = share_token(home, one)
    assert len(token) == 32
    assert is_share_token(home, one, token)
    assert not is_share_token(home, other, token)
    assert not is_share_token(home, one, "é" * 32)
    assert (home / "share-secret").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["../../etc", "A" * 32, "", "a" * 31])
def test_a_workspace_is_named_by_hex_digits_alone(store: Store, name: str) -> None:
    if name:
        with pytest.raises(Exception, match="no workspace's name"):
            WorkspaceStore(store, name)
    else:
        assert WorkspaceStore(store, name).jobs() == []
