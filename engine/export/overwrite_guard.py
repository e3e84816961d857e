"""Guards against overwriting exported files of another run."""

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

from engine.contract.errors import Refused

# What `run --out` writes.
FILES = ("metrics.csv", "claims.csv", "timings.csv", "config.json", "summary.json")
FILES += ("DATA_DICTIONARY.md", "run.zip")


class FolderContents(NamedTuple):
    """The exported run in a folder.

    Args:
        key: The run's key; empty where the files do not name one.
        is_complete: Whether every exported file is there.
        summary: The content of summary.json.
    """

    key: str
    is_complete: bool
    summary: dict[str, Any]


def inspect_folder(folder: Path) -> FolderContents | None:
    """Return the exported run in a folder; None if no exported file is there."""
    there = [name for name in FILES if (folder / name).exists()]
    if not there:
        return None
    try:
        summary = json.loads((folder / "summary.json").read_bytes())
        return FolderContents(str(summary["run"]), len(there) == len(FILES), summary)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return FolderContents("", False, {})


# What the command line says; a notebook has other words.
_REMEDY = "add --force to replace it"


def check_folder(
    folder: Path, key: str, *, force: bool, remedy: str = _REMEDY
) -> FolderContents | None:
    """Check that a run may be exported to a folder.

    Args:
        folder: Where the run's files are to be written.
        key: The run's key.
        force: Whether files of another run may be replaced.
        remedy: How to replace them, for the error.

    Returns:
        What the folder holds of this very run already; None if nothing.

    Raises:
        Refused: If it holds files of another run.
    """
    held = inspect_folder(folder)
    if held is None or held.key == key or force:
        return held if held is not None and held.key == key else None
    whose = f"another finished run ({held.key[:12]})" if held.key else "other results"
    raise Refused(
        f"{folder} holds {whose}; choose another folder, or {remedy}",
        "out",
    )


def check_file(path: Path, data: bytes, *, force: bool, remedy: str = _REMEDY) -> None:
    """Check that bytes may be written to a file.

    Args:
        path: The file.
        data: What is to be written.
        force: Whether other content may be replaced.
        remedy: How to replace it, for the error.

    Raises:
        Refused: If the file exists with other content, and `force` is not set.
    """
    if force or not path.exists():
        return
    if not path.is_file() or path.read_bytes() != data:
        raise Refused(
            f"{path} exists already; choose another name, or {remedy}",
            "out",
        )


def has_traces(folder: Path) -> bool:
    """Return whether a folder's metrics.csv holds single traces, not only means."""
    with (folder / "metrics.csv").open(newline="", encoding="utf-8") as file:
        return any(
            row["statistic"] == "value" and row["task"] and row["step"]
            for row in csv.DictReader(file)
        )
