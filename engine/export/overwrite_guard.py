"""A folder of exported files: whose run it holds, so none is replaced in silence."""

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

from engine.contract.errors import Refused

FILES = ("metrics.csv", "timings.csv", "config.json", "summary.json")


class FolderContents(NamedTuple):
    """What a folder holds: a run's key, empty where its files do not tell.

    `whole` says whether every file is there, `summary` is what was filed.
    """

    key: str
    is_complete: bool
    summary: dict[str, Any]


def inspect_folder(folder: Path) -> FolderContents | None:
    """Return the run whose files a folder holds; none where there is none."""
    there = [name for name in FILES if (folder / name).exists()]
    if not there:
        return None
    try:
        summary = json.loads((folder / "summary.json").read_bytes())
        return FolderContents(str(summary["run"]), len(there) == len(FILES), summary)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return FolderContents("", False, {})


def check_folder(folder: Path, key: str, *, force: bool) -> FolderContents | None:
    """Return what a folder holds of a run already; none where that is nothing.

    Args:
        folder: Where the run's files shall go.
        key: The run's key.
        force: Whether files of another run may be replaced.

    Raises:
        Refused: If it holds files of another run.
    """
    held = inspect_folder(folder)
    if held is None or held.key == key or force:
        return held if held is not None and held.key == key else None
    whose = f"another finished run ({held.key[:12]})" if held.key else "other results"
    raise Refused(
        f"{folder} holds {whose}; choose another folder, or add --force to replace it",
        "out",
    )


def check_file(path: Path, data: bytes, *, force: bool) -> None:
    """Refuse to replace a file by other bytes.

    Raises:
        Refused: If it is there, holds something else, and nobody forces.
    """
    if force or not path.exists():
        return
    if not path.is_file() or path.read_bytes() != data:
        raise Refused(
            f"{path} is there already; choose another name, or add --force to "
            "replace it",
            "out",
        )


def has_traces(folder: Path) -> bool:
    """Say whether metrics.csv of a folder holds single traces, not only their means."""
    with (folder / "metrics.csv").open(newline="", encoding="utf-8") as file:
        return any(
            row["statistic"] == "value" and row["task"] and row["step"]
            for row in csv.DictReader(file)
        )
