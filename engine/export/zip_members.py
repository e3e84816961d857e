"""The members of a zip that came from anywhere: listed, bounded, inflated once each.

No member is longer than it says, or than its limit, at any moment of the inflation.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine.contract.errors import Refused
from engine.contract.parsing import parse_json
from engine.contract.text_input import clean

BYTES_LIMIT = 200_000_000
UNPACKED_LIMIT = 800_000_000
HELD_LIMIT = 400_000_000  # of all members whose bytes are kept, at once
JSON_LIMIT = 20_000_000
COUNT = 200
PIECE = 1 << 20
ARTEFACT = re.compile(r"artefact-\d{3}\.safetensors")
_NAMES = frozenset(
    ("manifest.json", "config.json", "summary.json", "fingerprint.json")
) | {"timings.json", "blocks.safetensors", "metrics.csv"}
# Made of the blocks for people; nothing is read from it, so it is never held.
_UNREAD = frozenset({"metrics.csv"})


class ZipReader:
    """The members of an open archive, by name."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        listed = archive.infolist()
        _check_members(listed)
        self._infos = {info.filename: info for info in listed}
        self._held: dict[str, bytes] = {}
        self._digests: dict[str, str] = {}

    @property
    def names(self) -> set[str]:
        """Return what is there."""
        return set(self._infos)

    def digest(self, name: str) -> str:
        """Return the sha256 of a member, hex digits."""
        self._inflate(name)
        return self._digests[name]

    def read(self, name: str, limit: int = HELD_LIMIT) -> bytes:
        """Return a member's bytes.

        Raises:
            Refused: If it is not there, or longer than the limit.
        """
        if name not in self._infos:
            raise Refused("it is missing")
        if (size := self._infos[name].file_size) > limit:
            raise Refused(f"it has {size:,} bytes; at most {limit:,} are read")
        self._inflate(name)
        return self._held[name]

    def read_json(self, name: str) -> Any:
        """Return what a JSON member holds."""
        return parse_json(self.read(name, JSON_LIMIT), JSON_LIMIT)

    def _inflate(self, name: str) -> None:
        """Read a member once, a piece at a time; stop where it is too long."""
        if name in self._digests:
            return
        told, seen, keep = hashlib.sha256(), 0, name not in _UNREAD
        room = HELD_LIMIT - sum(map(len, self._held.values()))
        size, held = self._infos[name].file_size, io.BytesIO()
        with self._archive.open(name) as member:
            while piece := member.read(PIECE):
                seen += len(piece)
                if seen > size:
                    raise Refused("it is longer than it says")
                if keep and seen > room:
                    raise Refused(f"the archive holds more than {HELD_LIMIT:,} bytes")
                told.update(piece)
                held.write(piece if keep else b"")
        if seen != size:
            raise Refused("it is shorter than it says")
        self._digests[name] = told.hexdigest()
        if keep:
            self._held[name] = held.getvalue()


def check_size(data: bytes) -> None:
    """Refuse an archive that is too large to be looked at.

    Raises:
        Refused: With its size and the limit.
    """
    if len(data) > BYTES_LIMIT:
        raise Refused(f"an archive may hold {BYTES_LIMIT:,} bytes, not {len(data):,}")


@contextmanager
def open_archive(data: bytes) -> Iterator[ZipReader]:
    """Open an archive.

    Raises:
        Refused: If it is too large, or holds what no run has.
    """
    check_size(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        yield ZipReader(archive)


def _check_members(listed: list[zipfile.ZipInfo]) -> None:
    names = [info.filename for info in listed]
    for info in listed:
        name = clean(info.filename)[:60]
        if info.filename not in _NAMES and not ARTEFACT.fullmatch(info.filename):
            raise Refused(f"it holds {name!r}, which no run has")
        if info.flag_bits & 0x1:
            raise Refused(f"{name!r} is encrypted")
    if len(names) > COUNT:
        raise Refused(f"it holds {len(names):,} members; at most {COUNT} are read")
    if len(set(names)) != len(names):
        raise Refused("it holds a member twice")
    total = sum(info.file_size for info in listed)
    if total > UNPACKED_LIMIT:
        raise Refused(f"it unpacks to {total:,} bytes; at most {UNPACKED_LIMIT:,}")
