"""The demo's store is kept in order: one promise, one test."""

import os
import time
from pathlib import Path

import pytest

from engine.contract.jobs import JobState
from engine.executors import upkeep
from engine.store import Store, eviction
from engine.store.errors import StoreFull
from engine.store.fair_queue import Quota
from engine.store.idle_workspaces import empty_idle
from engine.store.results_of_other_runs import StoredRunCache
from engine.store.workspaces import WorkspaceStore
from tests.store import fake

ANN = "a" * 32


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "home")


def visitor(store: Store, name: str = ANN) -> WorkspaceStore:
    return WorkspaceStore(store, name, quota=Quota(9, 9))


def abandoned(store: Store, seed: int) -> str:
    """Compute a run for a visitor who then deletes it."""
    ann = visitor(store)
    key = fake.submit(ann, seed)
    fake.played_on(store)
    ann.follow()
    ann.delete(key)
    return key


def test_results_that_nobody_has_go_oldest_first_until_it_fits(store: Store) -> None:
    keys = [abandoned(store, seed) for seed in range(3)]
    one = eviction.disk_usage(store.folder(keys[0]))
    most = eviction.disk_usage(store.home) - one - 1  # two must go
    assert eviction.evict(store, most, ()) == keys[:2]
    assert eviction.disk_usage(store.home) <= most
    assert fake.stored(store, keys[2]) == fake.unbroken(fake.spec(2))


def test_what_is_used_is_never_deleted(store: Store) -> None:
    shipped = abandoned(store, 1)
    held = fake.submit(visitor(store), 2)
    fake.played_on(store)
    visitor(store).follow()
    own = fake.played(store, 3)  # the operator's
    running = fake.submit(visitor(store), 4)
    store.recorder(store.claim()).flush()
    waiting = fake.submit(visitor(store), 5)
    gone = abandoned_and_stopped(store)
    assert eviction.evict(store, 0, {shipped}) == [gone]
    kept = {job.key for job in store.jobs()}
    assert kept == {shipped, held, own, running, waiting}


def test_a_tuned_baseline_goes_too_as_any_run_tunes_it_again(store: Store) -> None:
    own = fake.played(store, 1)
    spec = fake.spec(2)
    StoredRunCache(store.index).put(fake.key(spec), spec, fake.unbroken_events(spec))
    assert eviction.evict(store, 0, ()) == [fake.key(spec)]
    assert StoredRunCache(store.index).get(fake.key(spec)) is None
    assert [job.key for job in store.jobs(kind=None)] == [own]


def abandoned_and_stopped(store: Store) -> str:
    ann = visitor(store, "b" * 32)
    key = fake.submit(ann, 6)
    ann.delete(key)
    assert store.job(key).state == JobState.CANCELLED
    return key


def test_linked_files_count_once(store: Store) -> None:
    key = fake.submit(visitor(store), 1)
    fake.played_on(store)
    before = eviction.disk_usage(store.home)
    visitor(store).follow()
    blocks = sum(f.stat().st_size for f in store.folder(key).glob("*.arrow"))
    assert eviction.disk_usage(store.home) - before < blocks + 50_000
    assert os.stat(next(store.folder(key).glob("*.arrow"))).st_nlink == 2


def test_a_store_that_stays_too_large_takes_no_new_run_until_it_fits(
    store: Store,
) -> None:
    upkeep.note_shipped(store.home, [])
    upkeep.keep_size(store, 1)
    with pytest.raises(StoreFull, match="no space for new runs"):
        fake.submit(visitor(store), 1)
    fake.submit(store, 1)  # the operator may
    upkeep.keep_size(store, 10**12)
    fake.submit(visitor(store), 2)


def test_nothing_is_deleted_before_the_shipped_experiments_are_known(
    store: Store,
) -> None:
    key = abandoned(store, 1)
    upkeep.keep_size(store, 1)
    assert store.job(key) is not None
    upkeep.note_shipped(store.home, ["f" * 64])
    upkeep.keep_size(store, 1)
    assert store.job(key) is None


def test_a_long_log_keeps_its_newest_lines_and_its_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LOG_BYTES", 1000)
    monkeypatch.setattr(upkeep, "LOG_KEPT", 100)
    path = tmp_path / "supervisor.log"
    with path.open("a") as writer:
        writer.writelines(f"line {n}\n" for n in range(500))
        writer.flush()
        upkeep.shorten_log(path)
        writer.write("newest\n")
    lines = path.read_text().splitlines()
    assert lines[-2:] == ["line 499", "newest"]
    assert path.stat().st_size < 120
    assert lines[0].startswith("line ")


def test_files_of_killed_writes_go_and_those_being_written_stay(store: Store) -> None:
    old, new = store.home / "x.part", store.home / "y.part"
    for path in (old, new):
        path.touch()
    past = time.time() - 2 * upkeep.STRAY
    os.utime(old, (past, past))
    upkeep.remove_stray_files(store.home)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_workspace_whose_deletion_was_cut_goes_with_the_next_one(
    store: Store,
) -> None:
    fake.submit(ann := visitor(store), 1)
    (ann.home / "index.sqlite").unlink()
    assert empty_idle(store, 3600) == 0  # it may be being made
    past = time.time() - 7200
    os.utime(ann.home, (past, past))
    assert empty_idle(store, 3600) == 1
    assert not ann.home.exists()


def test_all_of_it_is_done_in_the_demo_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Store] = []
    monkeypatch.setattr(upkeep, "tidy_demo", done.append)
    monkeypatch.delenv("METASCOPE_MODE", raising=False)
    upkeep.Upkeep(store).run_if_due()
    assert done == []
    monkeypatch.setenv("METASCOPE_MODE", "demo")
    due = upkeep.Upkeep(store)
    due.run_if_due()
    due.run_if_due()
    assert done == [store]


def test_a_worker_of_the_demo_notes_the_shipped_experiments(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    upkeep.note_shipped_of(store, lambda: ["f" * 64])
    assert upkeep.read_shipped(store.home) is None  # a local lab deletes nothing
    monkeypatch.setenv("METASCOPE_MODE", "demo")
    upkeep.note_shipped_of(store, lambda: ["f" * 64])
    assert upkeep.read_shipped(store.home) == {"f" * 64}
