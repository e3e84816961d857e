"""A disk cache for results that can be recomputed: JSON only, never pickle.

It is a diskcache with a `Disk` of our own. A value carries its checksum, so a flipped
byte is a miss; where the folder is full, read-only or broken every look-up misses, and
no page fails because of it.
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

SIZE_LIMIT = 256 * 1024 * 1024  # bytes; beyond it the least recently used go
ROOM = 4 * 1024 * 1024  # bytes that must be free before the cache is used
_MARK = 16  # hex digits of the checksum before each value


class JsonDisk(diskcache.Disk):
    """Stores JSON text with its checksum under string keys; refuses anything else."""

    def put(self, key: object) -> tuple[str, bool]:
        """Return a string key as it is stored: unchanged, marked as raw."""
        if not isinstance(key, str):
            raise TypeError(f"cache keys are strings, not {type(key).__name__}")
        return key, True

    def get(self, key: object, raw: bool) -> object:
        """Return a stored key; anything but raw text would need pickle."""
        if not raw or not isinstance(key, str):
            raise OSError("this cache holds no pickled keys")
        return key

    def store(self, value: object, read: bool, key: object = None) -> Any:
        """Store a JSON value as text after its checksum."""
        if read:
            raise TypeError("the cache holds JSON values, not open files")
        text = json.dumps(value, allow_nan=False)
        return super().store(_checksum(text) + text, False, key)

    def fetch(self, mode: int, filename: str, value: object, read: bool) -> Any:
        """Return a stored value; a damaged one raises, which is taken as a miss."""
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
    """A cache of JSON values by string keys; where it cannot be used, it is empty.

    Args:
        folder: Where it lies; created on first use.
        confirm: Raises `StoreError` where the store around it is gone.
    """

    def __init__(
        self, folder: Path, confirm: Callable[[], None] = lambda: None
    ) -> None:
        self.folder = folder
        self._confirm = confirm
        self._cache: diskcache.Cache | None = None

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key; the default where there is none."""
        return self._try(lambda cache: cache.get(key, default), default)

    def set(self, key: str, value: Any, expire: float | None = None) -> bool:
        """Store a JSON value.

        Args:
            key: The key.
            value: A JSON value.
            expire: Seconds that it is kept; None for no limit.

        Returns:
            Whether it was stored.

        Raises:
            TypeError: If it is not JSON.
            ValueError: If it holds NaN or an infinity, which JSON does not have.
        """
        json.dumps(value, allow_nan=False)  # here, as `_try` hides what goes wrong
        return bool(self._try(lambda cache: cache.set(key, value, expire), False))

    def delete(self, key: str) -> None:
        """Delete one value, if there is one."""
        self._try(lambda cache: cache.delete(key), None)

    def clear(self) -> None:
        """Delete all values."""
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
                sqlite_mmap_size=0,  # a truncated mapped file would kill the process
                statistics=0,
            )
        return self._cache

    def _is_usable(self) -> bool:
        """Check the folder before diskcache does, which loops for ever if read-only."""
        try:
            self._confirm()
            files.make_folder(self.folder)
            free = shutil.disk_usage(self.folder).free
        except (StoreError, OSError):
            return False
        return os.access(self.folder, os.W_OK) and free > ROOM

    def _reset(self) -> None:
        """Delete a broken cache; all that it holds can be recomputed."""
        if self._cache is not None:
            self._cache.close()
            self._cache = None
        if self._is_usable():
            shutil.rmtree(self.folder, ignore_errors=True)
