"""Workspaces that nobody has used for some time are deleted."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from engine.store import files, listing
from engine.store.errors import StoreError
from engine.store.store import Store
from engine.store.workspaces import EMPTY, FOLDER, UNFINISHED, WorkspaceStore

_BROKEN = 3600.0  # seconds after which a folder without an index is none being made


def empty_idle(shared: Store, seconds: float) -> int:
    """Delete the workspaces that nobody has used for some time.

    What they wait for is cancelled, unless others wait for it, too. A kill at any
    point leaves a workspace whole, or gone but for files that the next call removes.

    Args:
        shared: The shared store.
        seconds: How long they were not used.

    Returns:
        How many were deleted.
    """
    gone = 0
    for folder in workspace_folders(shared.home):
        age = _idle_seconds(folder)
        if age is None or age <= seconds:
            continue
        # One that is damaged must not keep the others.
        with contextlib.suppress(StoreError):
            if (folder / "index.sqlite").exists():
                _release_runs(shared, folder.name)
        files.discard(shared.home, folder)
        gone += 1
    return gone


def workspace_folders(home: Path) -> Iterator[Path]:
    """Yield the folders of the workspaces of a store."""
    with contextlib.suppress(FileNotFoundError):
        for path in sorted((home / FOLDER).iterdir()):
            if path.name != EMPTY and path.is_dir():
                yield path


def _idle_seconds(folder: Path) -> float | None:
    """Return how long a workspace was not used; None while it is being made."""
    now = time.time()
    try:
        return now - (folder / "index.sqlite").stat().st_mtime
    except FileNotFoundError:
        pass
    try:
        age = now - folder.stat().st_mtime
    except FileNotFoundError:
        return None
    return age if age > _BROKEN else None


def _release_runs(shared: Store, name: str) -> None:
    workspace = WorkspaceStore(shared, name)
    filtered = listing.JobFilter(UNFINISHED)
    for job in listing.jobs(workspace.index, filtered, 1000, 0):
        workspace.cancel(job.key)
