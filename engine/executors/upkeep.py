"""What the supervisor of the demo does every few minutes, so that the store lasts.

- A workspace that nobody used for METASCOPE_DEMO_IDLE_HOURS is deleted.
- Results that nobody has are deleted, oldest first, while the store takes more than
  METASCOPE_DEMO_STORE_MIB; if that is not enough, no new run is accepted.
- The log keeps its newest part.
- Files of writes and deletes that were killed are removed.
"""

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from engine.executors.demo import demo_limits, is_demo
from engine.store import Store, StoreError, eviction, fair_queue, files, repair
from engine.store.idle_workspaces import empty_idle, workspace_folders
from engine.store.workspaces import FOLDER

INTERVAL = 180.0  # seconds
LOG_BYTES, LOG_KEPT = 4 * 2**20, 2**20
STRAY = 3600.0  # seconds after which a file of an unfinished write has no writer
_SHIPPED = "shipped.json"
_log = logging.getLogger(__name__)


class Upkeep:
    """Keeps the demo's store in order; in a local lab it does nothing.

    Args:
        store: The shared store.
    """

    def __init__(self, store: Store) -> None:
        self._store, self._done = store, -INTERVAL

    def run_if_due(self) -> None:
        """Do all of it, if it was not done for a while."""
        if not is_demo() or time.monotonic() - self._done < INTERVAL:
            return
        self._done = time.monotonic()
        tidy_demo(self._store)


def tidy_demo(store: Store) -> None:
    """Do the whole upkeep once; what fails is logged, and the rest still done."""
    limits = demo_limits()
    for act in (
        lambda: empty_idle(store, limits.idle_seconds),
        lambda: keep_size(store, limits.store_disk),
        lambda: shorten_log(store.home / "supervisor.log"),
        lambda: remove_stray_files(store.home),
    ):
        try:
            act()
        except (StoreError, OSError) as error:
            _log.warning("upkeep: %s", error)


def keep_size(store: Store, most: int) -> None:
    """Bring the store under a size; close it for new runs while that is impossible."""
    shipped = read_shipped(store.home)
    if shipped is not None:  # until they are known, any result may be one of them
        for key in eviction.evict(store, most, shipped):
            _log.info("run %s: nobody has it, so it was deleted", key[:12])
    is_full = eviction.disk_usage(store.home) > most
    store.index.write(
        lambda db: fair_queue.set_full(db, is_full=is_full), last_resort=True
    )


def note_shipped(home: Path, keys: Iterable[str]) -> None:
    """Note the keys of the shipped experiments, whose results are never deleted.

    Whoever has loaded the catalogue calls it: the supervisor does not.
    """
    files.write_atomically(home / _SHIPPED, json.dumps(sorted(keys)).encode())


def note_shipped_of(store: Store, find_keys: Callable[[], list[str]] | None) -> None:
    """Note the shipped experiments, in the demo; a full disk is ignored.

    Args:
        store: The shared store.
        find_keys: Returns their run keys; None if there are none.
    """
    if is_demo() and find_keys is not None:
        with contextlib.suppress(StoreError):
            note_shipped(store.home, find_keys())


def read_shipped(home: Path) -> frozenset[str] | None:
    """Return the keys of the shipped experiments; None if nobody has noted them."""
    try:
        return frozenset(json.loads((home / _SHIPPED).read_text()))
    except (OSError, ValueError):
        return None


def shorten_log(path: Path) -> None:
    """Keep the newest part of a log that has become long; its writer appends."""
    with contextlib.suppress(FileNotFoundError), path.open("r+b") as log:
        if log.seek(0, os.SEEK_END) <= LOG_BYTES:
            return
        log.seek(-LOG_KEPT, os.SEEK_END)
        newest = log.read().partition(b"\n")[2]
        log.seek(0)
        log.truncate()
        log.write(newest)


def remove_stray_files(home: Path) -> None:
    """Remove what killed writes, imports and deletes left behind, in all stores."""
    for folder in (home, home / FOLDER / "empty", *workspace_folders(home)):
        repair.remove_stray(folder, STRAY)
