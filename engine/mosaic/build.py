"""Build Mosaic chunk by chunk; stopping early loses at most the running chunks.

A chunk is one net design with every recipe, on every task. Its nets always form the
same batches, so that it gives the same numbers whenever it is trained on a machine.
"""

import hashlib
import io
import json
import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from engine.data.sources.mosaic_space import OPTIONS, all_net_designs
from engine.device import fingerprint
from engine.mosaic.task_features import FEATURES, measure_features
from engine.mosaic.tasks import GROUPS, PARTS, MosaicTask, group_tasks
from engine.mosaic.training import Regime, train_form
from engine.store.files import write_atomically

VERSION = 1
# As the supervisor sets them for workers: glibc then keeps large freed tensors.
_SURROUNDINGS = {
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
Report = Callable[[str], None]


@dataclass(frozen=True)
class BuildPlan:
    """What is built: everything, unless a test asks for less.

    Args:
        regime: Length and number of the trainings.
        chunks: Indices of the net designs.
        groups: Indices of the groups of tasks.
    """

    regime: Regime = field(default_factory=Regime)
    chunks: tuple[int, ...] = tuple(range(len(all_net_designs())))
    groups: tuple[int, ...] = tuple(range(len(GROUPS)))

    def tasks(self) -> list[tuple[MosaicTask, ...]]:
        """Return the tasks, grouped by the shape of their data."""
        return [group_tasks(number, self.regime.root) for number in self.groups]


WHOLE = BuildPlan()


def build(
    out: Path,
    plan: BuildPlan = WHOLE,
    *,
    pool: Executor,
    most: int = 0,
    report: Report = lambda line: None,
) -> int:
    """Train the missing chunks; once none is left, assemble the table.

    Args:
        out: File of the table; chunks are stored beside it until it is complete.
        plan: What is built.
        pool: Executor of the trainings, such as `process_pool`.
        most: Train at most this many chunks now; 0 for all.
        report: Called with a line of progress per chunk.

    Returns:
        Number of chunks still missing.
    """
    about = _describe_build(plan, pool.submit(fingerprint, "cpu").result())
    folder = out.with_name(f"{out.name}.{_digest(about)}.chunks")
    folder.mkdir(parents=True, exist_ok=True)
    left = [
        number for number in plan.chunks if not _chunk_file(folder, number).exists()
    ]
    now = left[: most or None]
    for done, number in enumerate(_train_chunks(pool, folder, plan, now), 1):
        report(f"chunk {number}: {len(left) - done} of {len(plan.chunks)} left")
    if len(left) == len(now):
        write_atomically(out, _assemble_table(folder, plan, about))
        shutil.rmtree(folder)
    return len(left) - len(now)


@contextmanager
def process_pool(count: int) -> Iterator[Executor]:
    """Start processes with one torch thread each, which end with this process."""
    fresh = multiprocessing.get_context("spawn")
    with (
        _set_environment(),
        ProcessPoolExecutor(count, fresh, _prepare_process) as pool,
    ):
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)  # else it would train all queued chunks


def train_chunk(number: int, plan: BuildPlan = WHOLE) -> dict[str, np.ndarray]:
    """Train one net design on every task of a plan.

    Returns:
        Correct answers as `RightCounts` has them, tasks of all groups together, and
        the CPU seconds.
    """
    begun, form = time.process_time(), all_net_designs()[number]
    each = [train_form(form, tasks, plan.regime) for tasks in plan.tasks()]
    return {
        "validation": np.concatenate([counts.validation for counts in each], 1),
        "test": np.concatenate([counts.test for counts in each], 1),
        "seconds": np.array(time.process_time() - begun),
    }


def _train_chunks(
    pool: Executor, folder: Path, plan: BuildPlan, numbers: list[int]
) -> Iterator[int]:
    """Train chunks and store each as soon as it is done; yields their indices."""
    asked = {pool.submit(train_chunk, number, plan): number for number in numbers}
    for each in as_completed(asked):
        write_atomically(_chunk_file(folder, asked[each]), _pack_arrays(each.result()))
        yield asked[each]


def _chunk_file(folder: Path, number: int) -> Path:
    return folder / f"{number:03}.npz"


def _pack_arrays(arrays: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _describe_build(plan: BuildPlan, machine: dict[str, object]) -> dict[str, object]:
    """Return everything that the results depend on, as JSON."""
    tasks = [task for group in plan.tasks() for task in group]
    return {
        "version": VERSION,
        "space": {name: list(options) for name, options in OPTIONS.items()},
        "regime": asdict(plan.regime),
        "seed": plan.regime.root,
        "chunks": list(plan.chunks),
        "tasks": [_describe_task(task) for task in tasks],
        "features": list(FEATURES),
        "fingerprint": machine,
    }


def _describe_task(task: MosaicTask) -> dict[str, object]:
    rows = [part[p].tobytes() for p in PARTS for part in (task.x, task.y)]
    return {
        "name": task.name,
        "inputs": task.features,
        "classes": task.classes,
        "rows": {part: len(task.y[part]) for part in PARTS},
        "sha256": hashlib.sha256(b"".join(rows)).hexdigest(),
    }


def _digest(about: dict[str, object]) -> str:
    text = json.dumps(about, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _assemble_table(folder: Path, plan: BuildPlan, about: dict[str, object]) -> bytes:
    """Return the table of all chunks of a plan, as the bytes of its file."""
    parts = [dict(np.load(_chunk_file(folder, number))) for number in plan.chunks]
    tasks = [task for group in plan.tasks() for task in group]
    seconds = sum(float(part["seconds"]) for part in parts)
    meta = about | {"seconds": round(seconds, 1)}
    return _pack_arrays(
        {
            "validation": np.concatenate([part["validation"] for part in parts]),
            "test": np.concatenate([part["test"] for part in parts]),
            "features": np.array(
                [measure_features(task) for task in tasks], np.float32
            ),
            "meta": np.array(json.dumps(meta)),
        }
    )


@contextmanager
def _set_environment() -> Iterator[None]:
    """Set the environment that new processes inherit, and restore it afterwards."""
    before = {name: os.environ.get(name) for name in _SURROUNDINGS}
    os.environ.update(_SURROUNDINGS)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _prepare_process() -> None:
    """Initialize a new process: one torch thread, and exit with the parent."""
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
