"""Files are what they are known to be, or they are not used."""

import hashlib
from pathlib import Path

from engine.contract.errors import Refused


def sha256(data: bytes) -> str:
    """Return the hex digest of some bytes.

    >>> sha256(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


def read_verified(path: Path, digest: str) -> bytes:
    """Read a file that must have a known checksum.

    Raises:
        Refused: If it is absent, unreadable or not that file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise Refused(f"the data file {path.name} cannot be read: {reason}") from None
    if sha256(data) != digest:
        raise Refused(
            f"the data file {path.name} is not the known one: its sha256 must be "
            f"{digest}; fetch it again"
        )
    return data


def file_state(path: Path, digest: str) -> str:
    """Tell of a file that has a known checksum: present, absent or damaged."""
    if not path.is_file():
        return "absent"
    try:
        read_verified(path, digest)
    except Refused:
        return "damaged"
    return "present"
