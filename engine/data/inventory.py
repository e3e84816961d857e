"""The list of all real data files: bundled, from the data pack, and the user's."""

from pathlib import Path
from typing import Any

from engine.data.sources import data_pack, font_bitmaps, sklearn_sets
from engine.data.sources.checksums import file_state
from engine.data.sources.locations import pack_home
from engine.data.user.csv_store import SHEET, kept_digests, own_path
from engine.data.user.file_records import file_record
from engine.data.user.image_store import ARCHIVE

InventoryEntry = dict[str, Any]
OWN = {
    SHEET: (["own_data", "own_classes", "own_architectures"], "a file of your own"),
    ARCHIVE: (["own_images"], "images of your own"),
}


def inventory() -> list[InventoryEntry]:
    """List every known file of real data.

    Returns:
        One JSON object per file: `kind` (embedded, pack or own), `file`, `families`,
        `title`, `license`, `sha256`, `where` (its folder) and `state`: present,
        absent or damaged.
    """
    return [*_embedded_entries(), _font_entry(), *_pack_entries(), *_own_entries()]


def _embedded_entries() -> list[InventoryEntry]:
    home = sklearn_sets.sklearn_folder() or Path()
    return [
        _entry("embedded", home / file, digest)
        | {"families": [name], "title": known.title, "license": known.license}
        for name, known in sklearn_sets.SETS.items()
        for file, digest in known.files.items()
    ]


def _font_entry() -> InventoryEntry:
    labels = {
        "families": ["glyphs"],
        "title": font_bitmaps.TITLE,
        "license": font_bitmaps.LICENSE,
    }
    return _entry("embedded", font_bitmaps.font_path(), font_bitmaps.SHA256) | labels


def _pack_entries() -> list[InventoryEntry]:
    return [
        _entry("pack", pack_home() / known.file, known.sha256)
        | {
            "families": list(known.families),
            "title": known.title,
            "license": known.license,
        }
        for known in data_pack.FILES.values()
    ]


def _own_entries() -> list[InventoryEntry]:
    return [
        _entry("own", own_path(d, kind), d)
        | {"families": names, "title": _own_title(d, title), "license": ""}
        for kind, (names, title) in OWN.items()
        for d in kept_digests(kind)
    ]


def _own_title(digest: str, title: str) -> str:
    """Return the name of a file of the user and what was kept of it."""
    record = file_record(digest)
    return ": ".join(filter(None, record[::2])) if record else title


def _entry(kind: str, path: Path, digest: str) -> InventoryEntry:
    return {
        "kind": kind,
        "file": path.name,
        "where": str(path.parent),
        "sha256": digest,
        "state": file_state(path, digest),
    }
