"""Nobody but the owner reads a store, whoever made its folder, and when."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.data.user.csv_store import store_bytes
from engine.store import Store, files
from tests.store import fake
from tests.torture.items import supervisor, until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")


@pytest.fixture(autouse=True)
def _open_to_all() -> Iterator[None]:
    before = os.umask(0o000)
    yield
    os.umask(before)


def loose(home: Path) -> dict[str, str]:
    """Return what of a store has rights for others, with its mode."""
    modes = {path: path.stat().st_mode & 0o777 for path in (home, *home.rglob("*"))}
    return {path.name: oct(mode) for path, mode in modes.items() if mode & 0o077}


def test_a_folder_that_was_there_before_is_closed_to_others(home: Path) -> None:
    for folder in (home, home / "runs", home / "cache", home / "incoming"):
        folder.mkdir(mode=0o777)
    store = Store.open(home)
    key = fake.played(store, 1)
    for folder in (home, home / "runs", store.folder(key)):
        assert folder.stat().st_mode & 0o777 == 0o700
    store.cache.set("a", 1)
    assert (home / "cache").stat().st_mode & 0o777 == 0o700
    assert (home / "index.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_store_that_was_opened_to_others_is_closed_when_it_is_opened(
    store: Store, home: Path
) -> None:
    home.chmod(0o755)
    (home / "index.sqlite").chmod(0o644)
    Store.open(home)
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "index.sqlite").stat().st_mode & 0o777 == 0o600


def test_no_file_of_a_store_at_work_is_open_to_others(store: Store, home: Path) -> None:
    store.backup(home / "copy.sqlite")  # before a supervisor that begins by tidying up
    with supervisor(home):
        until((home / "supervisor.json").exists)
        fake.submit(store, 1)
        held = {path.name for path in home.iterdir()}
        assert loose(home) == {}
    assert {"supervisor.lock", "supervisor.json", "copy.sqlite"} <= held


def test_own_data_kept_before_the_first_run_makes_a_closed_folder(home: Path) -> None:
    store_bytes(home / "own" / "a.csv", b"x,y\n1,2\n")
    assert loose(home) == {}


def test_a_folder_that_is_meant_to_be_shared_keeps_its_mode(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    files.make_folder(shared)
    assert shared.stat().st_mode & 0o7777 == 0o1777


def test_a_folder_that_the_user_exports_to_keeps_its_mode(
    store: Store, tmp_path: Path
) -> None:
    from engine.export import RunRecord, export_run

    chosen = tmp_path / "results"
    chosen.mkdir(mode=0o755)
    key = fake.played(store, 1)
    export_run(RunRecord.from_store(store, key), chosen)
    assert chosen.stat().st_mode & 0o777 == 0o755


def test_a_store_of_another_owner_is_opened_all_the_same(
    store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.chmod(0o755)

    def refuse(self: Path, mode: int) -> None:
        raise PermissionError(1, "not the owner")

    monkeypatch.setattr(Path, "chmod", refuse)
    assert Store.open(home).jobs() == []
