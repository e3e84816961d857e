"""The recorded example: a finished run that ships with the app.

It is the exported archive of the default experiment, read as any archive is. It needs
neither store nor engine, so the first paint does not wait for them.
"""

import functools
from pathlib import Path

from app.door import Run

FOLDER = Path(__file__).parent / "recorded"


def run() -> Run | None:
    """Return the recorded run, or none where no archive is there."""
    archives = sorted(FOLDER.glob("default.*")) if FOLDER.is_dir() else []
    return read(archives[0]) if archives else None


@functools.cache
def read(archive: Path) -> Run:
    """Read an archive as a run that was recorded."""
    from engine import export

    held = export.read_archive(archive.read_bytes())
    return Run(
        key=held.key,
        spec=held.spec,
        blocks=tuple(held.blocks),
        summary=dict(held.summary) if held.summary else None,
        fingerprint=dict(held.fingerprint or {}),
        timings=tuple(held.timings),
        films={a.name: a for a in held.artefacts if a.kind == "film"},
        frozen=tuple(a.name for a in held.artefacts if a.kind == "frozen"),
        recorded=True,
    )
