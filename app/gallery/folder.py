"""The folder of a gallery: written as a whole, and never over files of others."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from engine.contract.errors import Refused

MANIFEST, INDEX = "gallery.json", "index.html"


def check_folder(folder: Path) -> frozenset[str]:
    """Check that a gallery may be written to a folder.

    Hidden files, such as those of git, may be there; they stay as they are.

    Args:
        folder: The folder; it need not exist.

    Returns:
        Names of the files of an earlier gallery, which the new one replaces.

    Raises:
        Refused: If it holds anything else.
    """
    if not folder.exists():
        return frozenset()
    if not folder.is_dir():
        raise Refused(f"{folder} is a file; give --out a folder", "out")
    there = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    others = sorted(there - _written_before(folder))
    if others:
        raise Refused(
            f"{folder} holds {others[0]}, which is no part of a gallery; choose an "
            "empty folder, or one that this command wrote",
            "out",
        )
    return frozenset(there)


def _written_before(folder: Path) -> set[str]:
    try:
        held = json.loads((folder / MANIFEST).read_bytes())
        return {MANIFEST, *map(str, held["files"])}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


@contextlib.contextmanager
def new_gallery(folder: Path) -> Iterator[Path]:
    """Give a folder to write a gallery to; at the end it takes its place.

    An error leaves what is there unchanged.

    Args:
        folder: Where the gallery is to be.

    Raises:
        Refused: If that folder holds files of others.
    """
    before = check_folder(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".gallery-") as part:
        yield Path(part)
        made = {path.name for path in Path(part).iterdir()}
        folder.mkdir(exist_ok=True)
        # The index comes last: it names only pages that are there.
        for name in sorted(made, key=lambda name: name == INDEX):
            os.replace(Path(part) / name, folder / name)
        for name in before - made:
            (folder / name).unlink()
