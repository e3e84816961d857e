"""Reading the members of an untrusted zip file, within limits, each only once.

Decompression stops as soon as a member exceeds its declared size or its limit.
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
from engine.contract.text_decoding import clean

# Sizes in bytes.
BYTES_LIMIT = 200_000_000
UNPACKED_LIMIT = 800_000_000
HELD_LIMIT = 400_000_000  # of all members that are kept in memory together
JSON_LIMIT = 20_000_000
COUNT = 200  # members
PIECE = 1 << 20
ARTEFACT = re.compile(r"artefact-\d{3}\.safetensors")
_NAMES = frozenset(
    ("manifest.json", "config.json", "summary.json", "fingerprint.json")
) | {"timings.json", "blocks.safetensors", "metrics.csv"}
# Derived from the blocks for the user's convenience; it is verified but not kept.
_UNREAD = frozenset({"metrics.csv"})


class ZipReader:
    """The members of an open archive, by name; each is decompressed at most once.

    Args:
        archive: The open zip file.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        listed = archive.infolist()
        _check_members(listed)
        self._infos = {info.filename: info for info in listed}
        self._held: dict[str, bytes] = {}
        self._digests: dict[str, str] = {}

    @property
    def names(self) -> set[str]:
        """Return the names of all members."""
        return set(self._infos)

    def digest(self, name: str) -> str:
        """Return the sha256 of a member, in hex."""
        self._inflate(name)
        return self._digests[name]

    def read(self, name: str, limit: int = HELD_LIMIT) -> bytes:
        """Return a member's bytes.

        Args:
            name: The member.
            limit: The most bytes that it may have.

        Raises:
            Refused: If it is missing, or longer than the limit.
        """
        if name not in self._infos:
            raise Refused("it is missing")
        if (size := self._infos[name].file_size) > limit:
            raise Refused(f"it has {size:,} bytes; at most {limit:,} are allowed")
        self._inflate(name)
        return self._held[name]

    def read_json(self, name: str) -> Any:
        """Return the value of a JSON member.

        Raises:
            Refused: If it is missing, too long or not valid JSON.
        """
        return parse_json(self.read(name, JSON_LIMIT), JSON_LIMIT)

    def _inflate(self, name: str) -> None:
        """Decompress a member in pieces; stop as soon as it is too long."""
        if name in self._digests:
            return
        digest, seen, keep = hashlib.sha256(), 0, name not in _UNREAD
        room = HELD_LIMIT - sum(map(len, self._held.values()))
        size, held = self._infos[name].file_size, io.BytesIO()
        with self._archive.open(name) as member:
            while piece := member.read(PIECE):
                seen += len(piece)
                if seen > size:
                    raise Refused("it is longer than its declared size")
                if keep and seen > room:
                    raise Refused(f"the archive holds more than {HELD_LIMIT:,} bytes")
                digest.update(piece)
                held.write(piece if keep else b"")
        if seen != size:
            raise Refused("it is shorter than its declared size")
        self._digests[name] = digest.hexdigest()
        if keep:
            self._held[name] = held.getvalue()


def check_size(data: bytes) -> None:
    """Check the size of an archive before anything of it is read.

    Raises:
        Refused: If it is too large, with its size and the limit.
    """
    if len(data) > BYTES_LIMIT:
        raise Refused(f"an archive may hold {BYTES_LIMIT:,} bytes, not {len(data):,}")


@contextmanager
def open_archive(data: bytes) -> Iterator[ZipReader]:
    """Open an archive and check its list of members.

    Args:
        data: The archive's bytes.

    Raises:
        Refused: If it is too large, or has members that no exported run has.
        zipfile.BadZipFile: If it is not a zip file.
    """
    check_size(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        yield ZipReader(archive)


def _check_members(listed: list[zipfile.ZipInfo]) -> None:
    names = [info.filename for info in listed]
    for info in listed:
        name = clean(info.filename)[:60]
        if info.filename not in _NAMES and not ARTEFACT.fullmatch(info.filename):
            raise Refused(f"it holds {name!r}, which no exported run has")
        if info.flag_bits & 0x1:
            raise Refused(f"{name!r} is encrypted")
    if len(names) > COUNT:
        raise Refused(f"it holds {len(names):,} members; at most {COUNT} are allowed")
    if len(set(names)) != len(names):
        raise Refused("it holds a member twice")
    # declared sizes; decompression then enforces them
    total = sum(info.file_size for info in listed)
    if total > UNPACKED_LIMIT:
        raise Refused(f"it unpacks to {total:,} bytes; at most {UNPACKED_LIMIT:,}")
