import os
import pickle
import sqlite3
from pathlib import Path
from unittest import mock

import pytest

from engine.store import files
from engine.store.result_cache import ResultCache


@pytest.fixture
def cache(tmp_path: Path) -> ResultCache:
    return ResultCache(tmp_path / "cache")


def test_json_values_come_back(cache: ResultCache) -> None:
    for value in ({"a": [1, 2.5, None, "é"]}, "text", 3, True, [], "x" * 100_000):
        assert cache.set("key", value)
        assert cache.get("key") == value
    cache.delete("key")
    assert cache.get("key", "none") == "none"


@pytest.mark.parametrize("value", [float("nan"), {"a": float("inf")}])
def test_a_nan_is_refused_and_not_made_a_none(
    cache: ResultCache, value: object
) -> None:
    with pytest.raises(ValueError, match="JSON"):
        cache.set("key", value)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", len])
def test_what_is_not_json_is_refused(cache: ResultCache, value: object) -> None:
    with pytest.raises(TypeError):
        cache.set("key", value)
    with pytest.raises(TypeError):
        cache.get(("a", "tuple"))  # type: ignore[arg-type]


def test_a_planted_pickle_is_never_opened(cache: ResultCache, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    cache.set("key", 1)
    with sqlite3.connect(cache.folder / "cache.db") as db:
        db.execute("UPDATE Cache SET mode = 4, value = ?", (pickle.dumps(Bomb()),))
        db.execute(
            "INSERT INTO Cache (key, raw, mode, value) VALUES (?, 0, 4, ?)",
            (pickle.dumps(Bomb()), pickle.dumps(Bomb())),
        )
    db.close()
    assert cache.get("key", "miss") == "miss"
    assert not (tmp_path / "exploded").exists()


def test_a_changed_value_is_a_miss(cache: ResultCache) -> None:
    cache.set("key", {"mean": 0.91})
    with sqlite3.connect(cache.folder / "cache.db") as db:
        db.execute("UPDATE Cache SET value = replace(value, '0.91', '9.01')")
    db.close()
    assert cache.get("key", "miss") == "miss"


def test_a_broken_cache_is_empty_and_works_again(cache: ResultCache) -> None:
    cache.set("key", 1)
    (cache.folder / "cache.db").write_bytes(b"not a database" * 1000)
    assert ResultCache(cache.folder).get("key") is None
    again = ResultCache(cache.folder)
    assert again.set("key", 2)
    assert again.get("key") == 2


def test_a_full_or_read_only_disk_makes_it_a_cache_that_never_hits(
    cache: ResultCache,
) -> None:
    with mock.patch("os.access", return_value=False):
        assert not cache.set("key", 1)
        assert cache.get("key") is None
    full = os.statvfs_result((4096, 4096, 9, 0, 0, 9, 9, 9, 0, 255))
    with mock.patch("os.statvfs", return_value=full):
        assert not cache.set("key", 1)
    with mock.patch.object(files.Path, "mkdir", side_effect=OSError(30, "read-only")):
        assert cache.get("key") is None


def test_it_has_a_size_a_policy_and_no_wal(cache: ResultCache) -> None:
    cache.set("key", 1)
    held = cache._open()
    assert held.size_limit == 256 * 2**20
    assert held.eviction_policy == "least-recently-used"
    assert held.sqlite_journal_mode == "truncate"
    assert cache.folder.stat().st_mode & 0o777 == 0o700
