"""Reading files whose SHA-256 must match a known one."""

import hashlib
from pathlib import Path

from engine.contract.errors import Refused


def sha256(data: bytes) -> str:
    """Return the SHA-256 of some bytes, in hex.

    >>> sha256(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


def read_verified(path: Path, digest: str) -> bytes:
    """Read a file and verify its checksum.

    Args:
        path: The file.
        digest: The SHA-256 that it must have, in hex.

    Returns:
        Its bytes.

    Raises:
        Refused: If it is absent or unreadable, or has another checksum.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise Refused(f"the data file {path.name} cannot be read: {reason}") from None
    if sha256(data) != digest:
        raise Refused(
            f"the data file {path.name} is damaged or another version: its sha256 must "
            f"be {digest}; fetch it again"
        )
    return data


def file_state(path: Path, digest: str) -> str:
    """Return the state of a file with a known checksum: present, absent or damaged."""
    if not path.is_file():
        return "absent"
    try:
        read_verified(path, digest)
    except Refused:
        return "damaged"
    return "present"
