"""A store is kept under a size: results that nobody has any more go, oldest first.

Never: runs that wait or are computed, runs of the operator, results of the shipped
experiments, and what a workspace has, whose files are the same on the disk.
"""

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from engine.contract.jobs import ALIVE, JobState
from engine.store import files, listing
from engine.store.fair_queue import OPERATOR
from engine.store.listing import JobFilter, Order
from engine.store.store import Store

_ENDED = [state for state in JobState if state not in ALIVE]
_OLDEST = Order("created", descending=False)
_PAGE = 200


def disk_usage(folder: Path) -> int:
    """Return the bytes of all files below a folder; a file with two links counts once.

    Args:
        folder: The folder; what disappears meanwhile is left out.
    """
    seen, total = set[tuple[int, int]](), 0
    for stat in _stats(folder):
        if (stat.st_dev, stat.st_ino) not in seen:
            seen.add((stat.st_dev, stat.st_ino))
            total += stat.st_size
    return total


def _stats(folder: Path) -> Iterator[os.stat_result]:
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                yield os.stat(os.path.join(parent, name), follow_symlinks=False)


def evict(store: Store, most: int, keep: Collection[str]) -> list[str]:
    """Delete results that nobody has, oldest first, until the store is small enough.

    Args:
        store: The shared store.
        most: Bytes that it may take.
        keep: Keys that stay, whatever they take: those of the shipped experiments.

    Returns:
        The keys of the deleted runs.
    """
    excess, gone = disk_usage(store.home) - most, list[str]()
    for key in _orphans(store, keep) if excess > 0 else ():
        if excess <= 0:
            break
        excess -= disk_usage(store.folder(key))
        store.delete(key)
        gone.append(key)
    return gone


def _orphans(store: Store, keep: Collection[str]) -> Iterator[str]:
    """Yield the ended runs that nobody has, oldest first; they may be deleted."""
    for kind in ("run", "tuning"):
        skipped, job_filter = 0, JobFilter(_ENDED, kind=kind)
        while jobs := listing.jobs(store.index, job_filter, _PAGE, skipped, _OLDEST):
            before = store.count(_ENDED, kind=kind)
            for job in jobs:
                # A tuned baseline is filed as the operator's, whoever it was for.
                is_own = kind == "run" and job.workspace == OPERATOR
                if job.key in keep or is_own:
                    continue
                if not _is_linked(files.run_folder(store.home, job.key)):
                    yield job.key
            gone = before - store.count(_ENDED, kind=kind)
            skipped += len(jobs) - gone


def _is_linked(folder: Path) -> bool:
    """Whether a workspace has the files of a run, too."""
    with contextlib.suppress(FileNotFoundError):
        paths = list(folder.iterdir())
        return any(path.lstat().st_nlink > 1 for path in paths)
    return False
