"""Seals: a short checksum over a row's values, stored in the row itself.

SQLite detects a corrupt page but not a flipped digit; a sealed row detects both.
"""

import hashlib
import json


def seal(*values: object) -> str:
    """Return the seal of a row's values.

    Args:
        values: None, text, integers and floats.

    Returns:
        24 hex digits.

    >>> seal("a", 1, None) == seal("a", 1, None)
    True
    >>> seal("a", 1) == seal("a", 1.0)
    False
    """
    text = json.dumps(values, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def matches_seal(sealed: object, *values: object) -> bool:
    """Return whether the values are those that were sealed."""
    try:
        return sealed == seal(*values)
    except (TypeError, ValueError):  # a flipped type byte can turn text into bytes
        return False


def sha256_hex(data: bytes) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    return hashlib.sha256(data).hexdigest()
