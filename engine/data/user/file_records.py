"""What is known of a stored file besides its bytes: its name, and what was kept of it.

A run refers to a file by its digest alone; the record is only for people.
"""

import json
from typing import NamedTuple

from engine.contract.errors import Refused
from engine.contract.text_decoding import clean
from engine.data.user.csv_store import own_path, store_bytes

RECORD = ".json"
_LIMIT = 100_000  # bytes


class FileRecord(NamedTuple):
    """What is known of a stored file.

    Args:
        name: The name of the user's file.
        source: SHA-256 of the user's file, where a prepared one is stored.
        summary: What was kept, in one line; may be empty.
    """

    name: str
    source: str = ""
    summary: str = ""


def store_record(digest: str, record: FileRecord) -> None:
    """Store what is known of a file; a later name replaces an earlier one.

    Raises:
        Refused: If it cannot be written.
    """
    plain = record._replace(name=clean(record.name))
    data = json.dumps(plain._asdict(), ensure_ascii=False).encode()
    store_bytes(own_path(digest, RECORD), data)


def file_record(digest: str) -> FileRecord | None:
    """Return what is known of a stored file; None if nothing is."""
    try:
        path = own_path(digest, RECORD)
        if path.stat().st_size > _LIMIT:
            return None
        found = json.loads(path.read_bytes())
        texts = {name: clean(str(found.get(name, ""))) for name in FileRecord._fields}
    except (Refused, OSError, ValueError, AttributeError):
        return None
    return FileRecord(**texts) if texts["name"] else None


def file_name(text: str) -> str:
    """Return the name of a stored file with the start of its digest.

    Args:
        text: A digest; empty is returned for any other text, or an unknown file.
    """
    if len(text) != 64:
        return ""
    record = file_record(text)
    return f"{record.name} ({text[:12]})" if record else ""
