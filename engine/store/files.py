"""Atomic and durable files: written under a temporary name, synced, renamed."""

import errno
import os
import secrets
import shutil
import stat
from pathlib import Path

from engine.store.errors import StoreError, StoreFull

BALLAST_BYTES = 256 * 1024  # given up to end or delete a run on a full disk
PART = ".part"  # ends the name of a file that is being written
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def as_store_error(error: OSError) -> StoreError:
    """Return a failed file operation as a one-line error for the user."""
    if error.errno in _FULL:
        return StoreFull("disk full: free some space, then resume")
    what = error.strerror or type(error).__name__
    return StoreError(f"the store cannot be used: {what.lower()}")


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file under a temporary name, sync it and rename it.

    Args:
        path: Where the file is to be; what is there is replaced.
        data: Its bytes.

    Raises:
        StoreFull: If the disk is full; nothing is left behind.
        FileNotFoundError: If the folder is gone: its run was deleted.
        StoreError: For any other failure.
    """
    beside = path.with_name(path.name + PART)
    try:
        _write_synced(beside, data)
        os.replace(beside, path)
        sync_folder(path.parent)
    except FileNotFoundError:
        raise
    except OSError as error:
        remove(beside)
        raise as_store_error(error) from error


def _write_synced(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Sync a folder, so that renames in it survive a crash."""
    if os.name == "nt":  # Windows cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path, *, parents: bool = False) -> None:
    """Make a folder that only its owner can read; an existing one becomes so.

    Args:
        folder: The folder.
        parents: Whether the folders above it are made, too; never inside a store, or
            a store that was moved away would be recreated empty.

    Raises:
        StoreError: If it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=parents, exist_ok=True)
    except OSError as error:
        refusal = as_store_error(error)
        if not isinstance(refusal, StoreFull):
            refusal = StoreError(
                f"the folder {folder} cannot be made ({error.strerror}); let "
                "METASCOPE_HOME name a folder that this user may write"
            )
        raise refusal from error
    make_private(folder)


def make_private(path: Path) -> None:
    """Remove the rights of group and others from a file or folder, where possible."""
    if os.name == "nt":  # Windows keeps other users out of the user's folder
        return
    try:
        mode = path.stat().st_mode
        # a folder with the sticky bit, such as /tmp, is meant to be shared
        if mode & 0o077 and not mode & stat.S_ISVTX:
            path.chmod(stat.S_IMODE(mode) & 0o700)
    except OSError:  # read-only or owned by another user: it can still be read
        return


def folder_identity(folder: Path) -> str | None:
    """Return an id of a folder that a rename does not change; None if it is missing.

    A folder that replaces it at the same path has another id.
    """
    try:
        found = folder.stat()
    except OSError:
        return None
    return f"{found.st_dev}:{found.st_ino}"


def remove(path: Path) -> None:
    """Remove a file if possible; one that is left is an orphan that `tidy` removes."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def run_folder(home: Path, key: str) -> Path:
    """Return the folder of one run's files."""
    return home / "runs" / key


def discard(home: Path, folder: Path) -> None:
    """Move a folder to the trash in one step, then free its space.

    Args:
        home: The store's folder.
        folder: The folder to be removed; nothing happens if it is missing.

    Raises:
        StoreError: If the store cannot be written.
    """
    if not folder.exists():
        return
    trash = home / "trash"
    make_folder(trash)
    gone = trash / secrets.token_hex(8)
    try:
        os.replace(folder, gone)
    except FileNotFoundError:
        return  # another process was first
    except OSError as error:
        raise as_store_error(error) from error
    shutil.rmtree(gone, ignore_errors=True)


def reserve_space(home: Path) -> None:
    """Write a file that can be given up, so that a full disk still takes a delete."""
    ballast = home / "ballast"
    if ballast.exists() and ballast.stat().st_size == BALLAST_BYTES:
        return
    try:
        # random, so that no file system compresses or deduplicates it away
        write_atomically(ballast, os.urandom(BALLAST_BYTES))
    except (StoreError, FileNotFoundError):
        remove(ballast)


def release_space(home: Path) -> bool:
    """Free the reserved space; returns whether there was any."""
    ballast = home / "ballast"
    had = ballast.exists()
    remove(ballast)
    return had and not ballast.exists()
