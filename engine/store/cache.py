"""The result cache: only what can be computed again, JSON only, never pickle.

It is a diskcache with a disk of our own. A value carries its checksum, so a
flipped byte is a miss; a folder that is full, read-only or broken makes the
cache a cache that never hits, and no page fails for it.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diskcache

from engine.store import files
from engine.store.errors import StoreError

SIZE_LIMIT = 256 * 1024 * 1024
ROOM = 4 * 1024 * 1024  # bytes that must be free before the cache is touched
_MARK = 16


class JsonDisk(diskcache.Disk):
    """Stores JSON text with its checksum under string keys; refuses the rest."""

    def put(self, key: object) -> tuple[str, bool]:
        """Take a string key as it is."""
        if not isinstance(key, str):
            raise TypeError(f"cache keys are strings, not {type(key).__name__}")
        return key, True

    def get(self, key: object, raw: bool) -> object:
        """Give a key back; anything but raw text would need pickle."""
        if not raw or not isinstance(key, str):
            raise OSError("this cache holds no pickled keys")
        return key

    def store(self, value: object, read: bool, key: object = None) -> Any:
        """Turn a JSON value into text with its checksum in front."""
        if read:
            raise TypeError("the cache holds JSON values, not open files")
        text = json.dumps(value, allow_nan=False)
        return super().store(_checksum(text) + text, False, key)

    def fetch(self, mode: int, filename: str, value: object, read: bool) -> Any:
        """Read a value back; one that is not what was stored counts as a miss."""
        if mode not in (diskcache.core.MODE_RAW, diskcache.core.MODE_TEXT):
            raise OSError("this cache holds no pickled values")
        text = super().fetch(mode, filename, value, False)
        if not isinstance(text, str) or text[:_MARK] != _checksum(text[_MARK:]):
            raise OSError("a cached value is damaged")
        return json.loads(text[_MARK:])


def _checksum(text: str) -> str:
    digest = hashlib.blake2b(text.encode(), digest_size=_MARK // 2)
    return digest.hexdigest()


class ResultCache:
    """get, set, delete and clear; a cache out of order holds nothing."""

    def __init__(
        self, folder: Path, confirm: Callable[[], None] = lambda: None
    ) -> None:
        self.folder = folder
        self._confirm = confirm  # raises where the store around it is gone
        self._cache: diskcache.Cache | None = None

    def get(self, key: str, default: Any = None) -> Any:
        """Return what was set, or the default."""
        return self._try(lambda cache: cache.get(key, default), default)

    def set(self, key: str, value: Any, expire: float | None = None) -> bool:
        """Keep a JSON value for `expire` seconds; says whether it was kept.

        Raises:
            TypeError: If it is not JSON.
            ValueError: If it holds a NaN or an infinity: JSON has none.
        """
        json.dumps(value, allow_nan=False)
        return bool(self._try(lambda cache: cache.set(key, value, expire), False))

    def delete(self, key: str) -> None:
        """Forget one value."""
        self._try(lambda cache: cache.delete(key), None)

    def clear(self) -> None:
        """Forget everything."""
        self._try(lambda cache: cache.clear(), None)

    def _try(self, act: Any, default: Any) -> Any:
        try:
            cache = self._open()
            return default if cache is None else act(cache)
        except diskcache.Timeout:
            return default
        except (sqlite3.Error, OSError):
            self._reset()
            return default

    def _open(self) -> diskcache.Cache | None:
        if not self._is_usable():
            return None
        if self._cache is None:
            self._cache = diskcache.Cache(
                str(self.folder),
                timeout=2,
                disk=JsonDisk,
                size_limit=SIZE_LIMIT,
                eviction_policy="least-recently-used",
                sqlite_journal_mode="truncate",
                sqlite_mmap_size=0,
                statistics=0,
            )
        return self._cache

    def _is_usable(self) -> bool:
        """Look before diskcache does: it spins for ever on a read-only disk."""
        try:
            self._confirm()
            files.make_folder(self.folder)
            space = os.statvfs(self.folder)
        except (StoreError, OSError):
            return False
        free = space.f_bavail * space.f_frsize
        return os.access(self.folder, os.W_OK) and free > ROOM

    def _reset(self) -> None:
        """Throw a broken cache away; it holds nothing that is lost."""
        if self._cache is not None:
            self._cache.close()
            self._cache = None
        if self._is_usable():
            shutil.rmtree(self.folder, ignore_errors=True)
