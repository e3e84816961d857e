"""Measure runs as a worker executes them: CPU seconds by stage, and peak memory.

Each run has a process and a store of its own, and the allocator's settings of a worker.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

from engine.catalogue import find_card
from engine.contract.events import Timing
from engine.contract.run_keys import run_key
from engine.contract.run_spec import RunSpec
from engine.executors import in_process, worker
from engine.executors.allocator import configure_allocator
from engine.executors.worker_functions import load_toolkit
from engine.presets import preset
from engine.runner import meta_test, stages
from engine.store import Store

MIB = 2**20
# Of the budget that is left of a preset, meta-steps by kind of task; an optimizer's
# steps are short.
META_STEPS = {"optimization": 32, "few_shot": 3, "rl": 2, "search": 1}
TESTS = {"optimization": 8, "few_shot": 16, "rl": 8, "search": 4}
IMAGE_TESTS = 6  # a test of images takes as long as many others


class MeasuredRun(NamedTuple):
    """One run.

    Args:
        spec: Completed.
        seconds: CPU time from the claim to the verdict, without the imports.
        peak: Largest resident memory of its process, bytes.
        timings: CPU seconds by label and stage.
        error: Why it failed; empty if it did not.
    """

    spec: RunSpec
    seconds: float
    peak: float
    timings: list[Timing]
    error: str


def measure_run(spec: RunSpec, *, fresh: bool = False) -> MeasuredRun:
    """Execute a spec in a process of its own.

    Args:
        spec: What to run.
        fresh: Whether the process imports the engine itself, as a worker does, so that
            its peak memory counts the imports; otherwise it is a copy of this one.
    """
    context = multiprocessing.get_context("spawn" if fresh else "fork")
    reader, writer = context.Pipe(duplex=False)
    child = context.Process(target=_send_measured, args=(spec, writer))
    child.start()
    writer.close()
    try:
        found = reader.recv()
    except EOFError:
        found = MeasuredRun(spec, 0.0, 0.0, [], "its process was lost")
    child.join()
    assert isinstance(found, MeasuredRun)
    return found


def warm_up() -> None:
    """Execute a small run in this process, so that its copies are like old workers.

    Small nets are compiled when they are first used.
    """
    with tempfile.TemporaryDirectory() as home:
        _execute(preset("smoke").spec, Path(home))


def _send_measured(spec: RunSpec, writer: Connection) -> None:
    with tempfile.TemporaryDirectory() as home:
        writer.send(_execute(spec, Path(home)))


def _execute(spec: RunSpec, home: Path) -> MeasuredRun:
    """Execute a spec in this process, in a store of its own."""
    configure_allocator()
    # Timings count CPU seconds, whatever else the machine does.
    clock = SimpleNamespace(perf_counter=time.process_time)
    stages.time = meta_test.time = clock  # type: ignore[attr-defined, assignment]
    tools, store = load_toolkit(), Store.open(home)
    settled = in_process.settle_spec(spec)
    key = run_key(settled, find_card)
    store.submit(settled, key)
    claim = store.claim()
    assert claim is not None
    begun = time.process_time()
    worker.play(store, claim, tools, worker.StopSignal())
    took, job = time.process_time() - begun, store.job(key)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    error = job.error if job else "its job was lost"
    return MeasuredRun(settled, took, peak, store.timings(key), error)


def cut_training(spec: RunSpec) -> RunSpec:
    """Return a preset that ends at its first look, after a few meta-steps.

    Its batches of tasks are whole, but for tests of images: those are computed one by
    one. No rate is tuned: that needs no more memory than a test with it.
    """
    few = IMAGE_TESTS if takes_images(spec) else spec.budget.test_tasks
    most = META_STEPS[_kind_of(spec)] * spec.budget.tasks_per_step
    learners = tuple(
        each.model_copy(update={"knobs": each.knobs | {"tuning": "given"}})
        if any(k.name == "tuning" for k in find_card("learner", each.name).knobs)
        else each
        for each in spec.learners
    )
    return _with_less(
        spec.model_copy(update={"learners": learners}),
        spec.looks[0] if spec.looks else spec.replicates,
        task_evaluations=most,
        test_tasks=few,
    )


def cut_to_seconds(spec: RunSpec) -> RunSpec:
    """Return a preset that takes seconds: one replicate with few tests."""
    few = IMAGE_TESTS if takes_images(spec) else TESTS[_kind_of(spec)]
    most = META_STEPS[_kind_of(spec)] * spec.budget.tasks_per_step
    return _with_less(
        spec,
        1,
        task_evaluations=most,
        test_tasks=few,
        tuning_tasks=4,
        validation_tasks=8,
    )


def _with_less(spec: RunSpec, replicates: int, **budget: int) -> RunSpec:
    """Return a spec with a smaller budget and one condition of its first shifts."""
    held = spec.budget
    less = {name: min(most, getattr(held, name)) for name, most in budget.items()}
    shifts = tuple(
        shift.model_copy(update={"severities": shift.severities[-1:]})
        for shift in spec.shifts[:2]
    )
    changes = {"replicates": replicates, "looks": (), "shifts": shifts}
    return spec.model_copy(update=changes | {"budget": held.model_copy(update=less)})


def _kind_of(spec: RunSpec) -> str:
    return str(find_card("family", spec.family.name).traits["kind"])


def write_line(text: str) -> None:
    """Write a line to standard output at once, also into a file."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def takes_images(spec: RunSpec) -> bool:
    """Return whether a run's net takes images only."""
    return bool(find_card("net", spec.net.name).traits["images"])
