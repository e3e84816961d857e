"""The recorded examples: finished runs that ship with the app.

They are exported archives of each kind's default experiment. Reading them needs neither
store nor engine, so the first paint waits for neither.
"""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from app.client.client import Run
from engine.contract.events import FILMS
from engine.contract.kinds import KINDS, OPTIMIZATION

if TYPE_CHECKING:
    from engine.export import RunRecord

FOLDER = Path(__file__).parents[1] / "recorded"

SHOWN_KINDS = (*FILMS, "snapshot", "frozen")


def recorded_run(kind: str = OPTIMIZATION.name) -> Run | None:
    """Return the recorded run of a kind, or None if there is no archive."""
    archives = sorted(FOLDER.glob(f"{kind}.*")) if FOLDER.is_dir() else []
    return read_recorded(archives[0]) if archives else None


def find_recorded(key: str) -> Run | None:
    """Return the recorded run with this key; None if it is none of them."""
    found = (recorded_run(kind) for kind in KINDS)
    return next((run for run in found if run is not None and run.key == key), None)


@functools.cache
def read_recorded(archive: Path) -> Run:
    """Read an archive as a recorded run."""
    from engine import export

    return run_of_record(export.read_archive(archive.read_bytes()))


def run_of_record(record: "RunRecord") -> Run:
    """Return a run that is in memory as the charts take it, without a store."""
    from engine.stats.replicate_concatenation import join_batches

    held = record.artefacts
    return Run(
        key=record.key,
        spec=record.spec,
        blocks=tuple(join_batches(record.blocks)),
        summary=dict(record.summary) if record.summary else None,
        fingerprint=dict(record.fingerprint or {}),
        timings=tuple(record.timings),
        films={a.name: a for a in held if a.kind in SHOWN_KINDS},
        frozen_labels=tuple(a.name for a in held if a.kind == "frozen"),
        film_names=tuple(a.name for a in held if a.kind in FILMS),
        remarks={a.name: dict(a.info) for a in held if a.kind == "remarks"},
        is_recorded=True,
    )
