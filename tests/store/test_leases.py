import os
import signal
import subprocess
import sys
import time

import pytest

from engine.contract.jobs import JobState
from engine.store import LeaseLost, Store, leases
from engine.store.leases import ProcessIdentity
from tests.store import fake


def grown_old(store: Store, seconds: float, **more: object) -> None:
    """Make every lease look as if its last heartbeat were so long ago."""
    store.index.write(
        lambda db: db.execute("UPDATE leases SET beat = beat - ?", (seconds,))
    )
    for name, value in more.items():
        store.index.write(
            lambda db, n=name, v=value: db.execute(f"UPDATE leases SET {n} = ?", (v,))
        )


def test_a_dead_workers_run_goes_back_once_and_then_waits(store: Store) -> None:
    key = fake.submit(store, 1)
    for attempt, after in ((1, JobState.QUEUED), (2, JobState.LOST)):
        store.claim()
        grown_old(store, 0, pid=2**22 + 1)
        (fate,) = store.sweep({2**22 + 1: "its worker was killed by SIGKILL"})
        assert (fate.key, fate.verdict) == (key, "lost")
        job = store.job(key)
        assert (job.state, job.attempt) == (after, attempt)
        assert "SIGKILL" in job.error
    assert store.sweep() == []
    assert store.claim() is None
    assert store.resume(key).state == JobState.QUEUED


@pytest.mark.parametrize("other", [{"birth": 1.0}, {"boot": "another start"}])
def test_a_reused_number_is_not_the_same_process(
    store: Store, other: dict[str, object]
) -> None:
    key = fake.submit(store, 1)
    store.claim()
    assert store.sweep() == []
    grown_old(store, 0, **other)
    assert [fate.verdict for fate in store.sweep()] == ["lost"]
    assert store.job(key).state == JobState.QUEUED


def test_a_hung_loop_becomes_stalled_only_after_its_time(store: Store) -> None:
    key = fake.submit(store, 1)
    recorder = store.recorder(store.claim())
    grown_old(store, 50)
    assert store.sweep() == []
    assert 49 < store.job(key).beat < 60
    grown_old(store, 20)
    (fate,) = store.sweep()
    assert (fate.verdict, fate.must_end, fate.pid) == ("stalled", True, os.getpid())
    assert store.job(key).state == JobState.STALLED
    assert "no heartbeat for 7" in store.job(key).error
    with pytest.raises(LeaseLost):
        recorder.flush()
    assert store.resume(key).state == JobState.QUEUED


def test_a_loop_with_long_events_is_given_ten_times_as_long(store: Store) -> None:
    key = fake.submit(store, 1)
    store.claim()
    grown_old(store, 100, longest=12.0)
    assert store.sweep() == []
    assert store.job(key).state == JobState.RUNNING
    grown_old(store, 30)
    assert [fate.verdict for fate in store.sweep()] == ["stalled"]


def test_a_clock_jump_changes_no_age(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = fake.submit(store, 1)
    store.claim()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 5 * 86_400)
    assert store.sweep() == []
    assert store.job(key).beat < 5


def test_a_stopped_process_is_replaced_and_its_late_writes_are_refused(
    store: Store,
) -> None:
    key = fake.submit(store, 1)
    recorder = store.recorder(store.claim())
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as one:
        try:
            one.send_signal(signal.SIGSTOP)
            birth = leases.birth_time(one.pid)
            grown_old(store, 70, pid=one.pid, birth=birth)
            (fate,) = store.sweep()
        finally:
            one.kill()
    assert (fate.verdict, fate.must_end) == ("lost", True)
    assert store.job(key).state == JobState.QUEUED
    with pytest.raises(LeaseLost):
        recorder.flush()


def test_a_revoked_worker_is_ended_after_its_grace(store: Store) -> None:
    key = fake.submit(store, 1)
    store.claim()
    store.cancel(key)
    assert store.sweep() == []
    grown_old(store, 0)
    store.index.write(lambda db: db.execute("UPDATE leases SET revoked = revoked - 3"))
    (fate,) = store.sweep()
    assert (fate.verdict, fate.must_end) == ("revoked", True)
    assert store.job(key).state == JobState.CANCELLED


def test_a_process_is_known_by_number_birth_and_boot() -> None:
    me = leases.this_process()
    assert leases.is_alive(me)
    assert not leases.is_alive(ProcessIdentity(me.pid, me.birth + 1, me.boot))
    assert not leases.is_alive(ProcessIdentity(2**22 + 1, me.birth, me.boot))
    with subprocess.Popen([sys.executable, "-c", ""]) as one:
        while one.pid and leases.birth_time(one.pid) is not None:
            time.sleep(0.01)  # a zombie, until it is waited for, is no worker
