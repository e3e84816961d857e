"""A run whose shards lose their workers again and again: the rows of one worker."""

import random
import time
from itertools import zip_longest
from pathlib import Path

import psutil

from engine.catalogue import find_card
from engine.contract.jobs import RESUMABLE, JobState
from engine.contract.run_keys import run_key
from engine.contract.run_spec import RunSpec
from engine.executors.stop_signal import StopSignal
from engine.executors.worker import play
from engine.executors.worker_functions import load_toolkit
from engine.export import RunRecord, metrics_csv
from engine.store import Store
from tests.laws.small import spec_of
from tests.torture.items import Outcome, item, process

WORKERS = 3


def batched() -> RunSpec:
    """Return a run of eight batches, of a second or two each, that is never decided."""
    learners = [
        {"name": "lr_scale"},
        {"name": "sgd", "role": "baseline", "knobs": {"tuning": "tuned"}},
    ]
    budget = {"task_evaluations": 96}
    looks = list(range(2, 18, 2))
    return spec_of(learners=learners, budget=budget, replicates=16, looks=looks)


@item("D2", "kills of workers that compute the shards of a run", full=60, quick=2)
def kill_shard_workers(home: Path, count: int) -> Outcome:
    """Kill a worker, or the supervisor with all of them, while a run is sharded."""
    spec, chance = batched(), random.Random(3)
    key = run_key(spec, find_card)
    alone = Store.open(home.parent / "alone")
    alone.submit(spec, key)
    play(alone, alone.claim(), load_toolkit(), StopSignal())
    store, killed, rounds, sharded = Store.open(home), 0, 0, 0
    wanted, wrong = metrics_csv(RunRecord.from_store(alone, key), traces=True), 0
    first = ""
    while killed < count:
        rounds += 1
        store.submit(spec, key, again=True)
        while not _is_over(store, key):
            words = ("engine", "supervise", "--workers", str(WORKERS))
            with process(home, *words) as supervisor:
                left = count - killed
                more, most = _kill_until(supervisor.pid, store, key, chance, left)
            killed, sharded = killed + more, max(sharded, most)
            store.sweep()
            _resume(store, key)
        found = metrics_csv(RunRecord.from_store(store, key), traces=True)
        wrong += found != wanted
        first = first or _first_difference(wanted, found)
    store.tidy()
    left = store.count(kind="shard")
    figures = (
        f"{killed} kills in {rounds} runs, up to {sharded} shards at once: {wrong} "
        f"runs with other rows{first}, {left} shards left"
    )
    return Outcome(not wrong and not left and sharded > 0, figures)


def _kill_until(
    pid: int, store: Store, key: str, chance: random.Random, most: int
) -> tuple[int, int]:
    """Kill at most so many workers at random moments, or until the supervisor's turn.

    Returns:
        How many were killed, and how many shards were computed at once at most.
    """
    killed = sharded = 0
    while not _is_over(store, key):
        # Only work is worth a kill: on a busy machine a worker takes long to start.
        begun, end = _work_done(store, key), 0.0
        while not _is_over(store, key) and (not end or time.monotonic() < end):
            sharded = max(sharded, store.count([JobState.RUNNING], kind="shard"))
            if not end and _work_done(store, key) != begun:
                end = time.monotonic() + chance.uniform(0.0, 4.0)
            _resume(store, key)
            time.sleep(0.05)
        workers = psutil.Process(pid).children()
        if workers and killed < most:
            chance.choice(workers).kill()
            killed += 1
        if killed < most and chance.random() < 0.2:
            break  # the supervisor is killed next, by its handle
    return killed, sharded


def _work_done(store: Store, key: str) -> tuple[float, int, int]:
    """Return what changes when any worker gets on with a run."""
    done = store.count([JobState.DONE], kind="shard")
    running = store.count([JobState.RUNNING], kind="shard")
    return store.progress(key).done, done, running


def _first_difference(wanted: bytes, found: bytes) -> str:
    """Return the first line of a table that is not as it should be, in words."""
    pairs = zip_longest(wanted.splitlines(), found.splitlines())
    return next((f" ({a!r} became {b!r})" for a, b in pairs if a != b), "")


def _is_over(store: Store, key: str) -> bool:
    job = store.job(key)
    return job is not None and job.state == JobState.DONE


def _resume(store: Store, key: str) -> None:
    job = store.job(key)
    if job is not None and job.state in RESUMABLE:
        store.resume(key)
