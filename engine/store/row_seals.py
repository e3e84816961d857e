"""A seal is a short checksum over what a row says, kept in the row itself.

SQLite notices a smashed page, never a flipped digit; a sealed row does.
"""

import hashlib
import json


def seal(*values: object) -> str:
    """Return the seal of some plain values; None, text and numbers.

    >>> seal("a", 1, None) == seal("a", 1, None)
    True
    >>> seal("a", 1) == seal("a", 1.0)
    False
    """
    text = json.dumps(values, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def matches_seal(sealed: object, *values: object) -> bool:
    """Say whether the values are those that were sealed."""
    try:
        return sealed == seal(*values)
    except (TypeError, ValueError):  # a flipped type byte gives bytes, say
        return False


def sha256_hex(data: bytes) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    return hashlib.sha256(data).hexdigest()
