"""Workers are started when work waits for them, and end when none has for a while."""

import errno
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contract.jobs import JobState
from engine.executors.worker_pool import IDLE_TIMEOUT, WorkerPool
from engine.store import Store, leases
from tests.store import fake
from tests.torture.items import until

LIVES = (sys.executable, "-S", "-c", "import sys; sys.stdin.read()")


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WorkerPool]:
    """Return a pool of at most three workers."""
    pool = WorkerPool(Store.open(tmp_path / "home"), LIVES, 3)
    yield pool
    pool.stop()


def start_all(pool: WorkerPool) -> int:
    """Start as many workers as the pool wants; return how many there are."""
    while pool.start_needed():
        pass
    return len(pool.children)


def test_one_worker_is_there_before_any_work_is(pool: WorkerPool) -> None:
    assert start_all(pool) == 1
    fake.submit(pool.store, 1)
    assert start_all(pool) == 1


def test_there_are_as_many_workers_as_runs_up_to_the_limit(pool: WorkerPool) -> None:
    fake.submit(pool.store, 1)
    fake.submit(pool.store, 2)
    assert start_all(pool) == 2
    for seed in range(3, 9):
        fake.submit(pool.store, seed)
    assert start_all(pool) == 3


def test_a_machine_without_a_process_left_is_asked_again_later(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object, **more: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    with monkeypatch.context() as full:
        full.setattr(subprocess, "Popen", refuse)
        assert start_all(pool) == 0
    assert pool._deaths.is_pausing
    assert pool._deaths.reason == (
        "could not be started: resource temporarily unavailable"
    )
    pool._deaths.next_start = 0.0
    assert start_all(pool) == 1


def test_workers_without_work_end_after_a_while_but_for_one(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [fake.submit(pool.store, seed) for seed in range(3)]
    assert start_all(pool) == 3
    holder, *_ = pool.children
    identity = leases.ProcessIdentity(holder, leases.birth_time(holder) or 0.0, "")
    with monkeypatch.context() as patch:
        patch.setattr(leases, "this_process", lambda: identity)
        pool.store.claim()
    for key in keys:
        if pool.store.job(key).state == JobState.QUEUED:
            pool.store.cancel(key)
    pool.end_idle()
    assert len(pool.children) == 3 and not pool.reap()
    pool._busy -= IDLE_TIMEOUT + 1
    pool.end_idle()
    until(lambda: pool.reap() is not None and len(pool.children) == 1)
    assert list(pool.children) == [holder]  # the one that has a run goes on
    pool.count_deaths(set())
    assert pool.status()["deaths"]["count"] == 0  # they were asked to end
