import hashlib
import os
import sqlite3
import threading
from pathlib import Path

import pytest

from engine.store import Store, StoreBusy, StoreError, StoreNewer, schema
from tests.store import fake


def snapshot(home: Path) -> dict[str, str]:
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.rglob("*")
        if path.is_file()
    }


def test_a_newer_store_is_refused_and_nothing_is_written(
    store: Store, home: Path
) -> None:
    fake.played(store, 1)
    with sqlite3.connect(home / "index.sqlite") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    before = snapshot(home)
    with pytest.raises(StoreNewer, match=r"format 99; .* up to 2") as refusal:
        Store.open(home)
    assert "\n" not in str(refusal.value)
    with pytest.raises(StoreNewer):
        fake.submit(store, 2)
    assert snapshot(home) == before


def test_an_older_store_is_migrated_after_a_backup(
    store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = fake.played(store, 1)
    present = schema.SCHEMA
    monkeypatch.setattr(schema, "SCHEMA", present + 1)
    monkeypatch.setattr(schema, "MIGRATIONS", {present: "CREATE TABLE extra (x)"})
    newer = Store.open(home)
    assert fake.stored(newer, key) == fake.unbroken(fake.spec(1))
    (copy,) = (home / "backups").iterdir()
    with sqlite3.connect(copy) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (present,)
        assert db.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    db.close()
    Store.open(home)
    assert len(list((home / "backups").iterdir())) == 1


def test_a_failed_migration_leaves_the_store_as_it_was(
    store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = fake.played(store, 1)
    with monkeypatch.context() as later:
        later.setattr(schema, "SCHEMA", schema.SCHEMA + 1)
        broken = {schema.SCHEMA - 1: "CREATE TABLE extra (x); NONSENSE"}
        later.setattr(schema, "MIGRATIONS", broken)
        with pytest.raises(StoreError):
            Store.open(home)
    assert fake.stored(Store.open(home), key) == fake.unbroken(fake.spec(1))


def test_the_journal_is_never_wal(store: Store, home: Path) -> None:
    fake.played(store, 1)
    mode = store.index.write(lambda db: db.execute("PRAGMA journal_mode").fetchone())
    assert mode == ("truncate",)
    sync = store.index.write(lambda db: db.execute("PRAGMA synchronous").fetchone())
    assert sync == (2,)
    assert not list(home.glob("*-wal"))


def test_a_busy_store_says_so_and_changes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.index.PATIENCE", 0.1)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        store.index.write(lambda db: (held.set(), done.wait(10)))

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    with pytest.raises(StoreBusy, match="store busy"):
        fake.submit(store, 1)
    assert store.jobs() == []  # a reader is not in the way
    done.set()
    holder.join()
    fake.submit(store, 1)
    assert store.count() == 1


def test_a_backup_is_one_point_in_time(store: Store, home: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        seed = 0
        while not stop.is_set():
            fake.submit(store, seed := seed + 1)

    writer = threading.Thread(target=write)
    writer.start()
    store.backup(home / "copy.sqlite")
    stop.set()
    writer.join()
    with sqlite3.connect(home / "copy.sqlite") as db:
        runs = db.execute("SELECT count(*) FROM runs").fetchone()[0]
        specs = db.execute("SELECT count(*) FROM texts").fetchone()[0]
        (turn,) = db.execute("SELECT coalesce(max(turn), 0) FROM runs").fetchone()
    db.close()
    assert runs == specs == turn


def test_a_store_that_vanished_says_so(store: Store, home: Path) -> None:
    home.rename(home.with_name("elsewhere"))
    for ask in (store.jobs, lambda: fake.submit(store, 1), store.sweep):
        with pytest.raises(StoreError, match="gone"):
            ask()
    assert not home.exists()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError) as refusal:
        Store.open(tmp_path / "file" / "home")
    assert "\n" not in str(refusal.value)


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")
def test_nobody_else_can_read_the_store(store: Store, home: Path) -> None:
    key = fake.played(store, 1)
    store.cache.set("a", 1)
    for folder in (home, home / "runs", store.folder(key), home / "cache"):
        assert folder.stat().st_mode & 0o077 == 0
