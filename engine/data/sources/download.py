"""Download of data pack files, from fixed public addresses only."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO
from urllib.request import urlopen

from engine.contract.errors import Refused
from engine.data.sources import data_pack
from engine.data.sources.checksums import file_state, sha256
from engine.data.sources.locations import pack_home

SECONDS, PIECE = 30, 1 << 16  # timeout of the connection; bytes per read
# A fixed commit, so that the files can never change.
OMNIGLOT = (
    "https://raw.githubusercontent.com/brendenlake/omniglot/"
    "057f034baf2ecb8530bc5710e5a23584d2a519cc/python/"
)

OpenUrl = Callable[[str], BinaryIO]


@dataclass(frozen=True)
class RemoteFile:
    """A file of the pack, its public address, and its size in bytes."""

    file: str
    address: str
    size: int


SETS = {
    "omniglot": (
        RemoteFile(
            "images_background.zip", OMNIGLOT + "images_background.zip", 9_464_212
        ),
        RemoteFile(
            "images_evaluation.zip", OMNIGLOT + "images_evaluation.zip", 6_462_886
        ),
    )
}


def _open_url(address: str) -> BinaryIO:
    """Open one of the addresses above; never one from the user."""
    return urlopen(address, timeout=SECONDS)  # type: ignore[no-any-return]  # nosec B310


def list_fetchable() -> list[dict[str, Any]]:
    """List every file that can be downloaded, and whether it is here.

    Returns:
        One JSON object per file: `name` of its set, `file`, `bytes`, `state`
        (present, absent or damaged) and `address`.
    """
    return [
        {
            "name": name,
            "file": remote.file,
            "bytes": remote.size,
            "state": file_state(
                pack_home() / remote.file, data_pack.FILES[remote.file].sha256
            ),
            "address": remote.address,
        }
        for name, remotes in SETS.items()
        for remote in remotes
    ]


def fetch(name: str, open_address: OpenUrl = _open_url) -> list[Path]:
    """Download the files of a set into the data pack's folder.

    A file with the right checksum is kept; any other is replaced.

    Args:
        name: A key of `SETS`.
        open_address: Opens a URL for reading; replaced in tests.

    Returns:
        The paths of the files.

    Raises:
        Refused: If there is no such set, no network, or no space, or if the
            downloaded bytes have another checksum.
    """
    if name not in SETS:
        raise Refused(
            f"{name[:40]!r} cannot be fetched; must be one of: {', '.join(SETS)}",
            "name",
        )
    return [_fetch_file(remote, open_address) for remote in SETS[name]]


def _fetch_file(remote: RemoteFile, open_address: OpenUrl) -> Path:
    path, digest = pack_home() / remote.file, data_pack.FILES[remote.file].sha256
    if file_state(path, digest) == "present":
        return path
    data = _download(remote, open_address)
    if sha256(data) != digest:
        raise Refused(
            f"the {len(data):,} bytes downloaded of {remote.file} are not the expected "
            f"{remote.size:,} with sha256 {digest}, and were discarded; try again, or "
            f"put the file into {pack_home()}"
        )
    _write_atomically(path, data)
    return path


def _download(remote: RemoteFile, open_address: OpenUrl) -> bytes:
    """Read the file, but at most one byte more than it should have."""
    try:
        with open_address(remote.address) as answer:
            data = b""
            while len(data) <= remote.size:
                piece = answer.read(min(PIECE, remote.size + 1 - len(data)))
                if not piece:
                    break
                data += piece
            return data
    except (HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        words = str(reason).partition("\n")[0][:80] or type(error).__name__
        raise Refused(
            f"{remote.file} cannot be fetched from {remote.address}: {words}; try "
            f"again when online, or put the file into {pack_home()}"
        ) from None


def _write_atomically(path: Path, data: bytes) -> None:
    """Write a file completely or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())  # else a crash could leave an empty file
            os.replace(beside, path)
        except OSError:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = (error.strerror or "unwritable").lower()
        raise Refused(
            f"{path} cannot be written: {reason}; set METASCOPE_DATA to another folder"
        ) from None
