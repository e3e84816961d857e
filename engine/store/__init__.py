"""The run store: jobs, results and checkpoints on disk; no torch, no pickle, no WAL.

The index is a small SQLite file; blocks of numbers, artefacts and checkpoints are
immutable files beside it, with their checksums in the index. Each run has one writer,
the holder of its lease, and any number of readers.
"""

from engine.store.errors import (
    DamagedRun,
    LeaseLost,
    NoRun,
    NoStore,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreGone,
    StoreNewer,
)
from engine.store.progress import Progress
from engine.store.readers import ArtefactEntry
from engine.store.recorder import Recorder
from engine.store.results_of_other_runs import StoredRunCache
from engine.store.run_groups import RunGroups
from engine.store.store import Store, default_home

__all__ = [
    "ArtefactEntry",
    "DamagedRun",
    "LeaseLost",
    "NoRun",
    "NoStore",
    "Progress",
    "Recorder",
    "RunGroups",
    "Store",
    "StoreBusy",
    "StoreError",
    "StoreFull",
    "StoreGone",
    "StoreNewer",
    "StoredRunCache",
    "default_home",
]
