import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.contract.events import Checkpoint, Event
from engine.contract.jobs import JobState
from engine.executors.stop_signal import StopSignal
from engine.executors.worker import play
from engine.store import Recorder, Store, StoreFull, leases
from tests.store import fake
from tests.torture import kills
from tests.torture.items import is_in, process, until


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "home")


def test_a_part_that_raises_fails_in_one_line_with_its_traceback(store: Store) -> None:
    job = store.job(fake.played(store, 1, fault="raise"))
    assert job.state == JobState.FAILED
    assert job.error == "ZeroDivisionError: a part went wrong"
    assert "tests/store/fake.py" in job.traceback
    assert store.fingerprint(job.key) == {"device": "cpu", "threads": 1}
    assert len(store.blocks(job.key)[0]) == 6  # five steps and the live view


def test_a_refusal_says_what_the_user_can_change(store: Store) -> None:
    job = store.job(fake.played(store, 1, fault="refuse"))
    assert (job.state, job.error) == (JobState.FAILED, "ways must be at most 5, not 9")


def test_what_was_refused_is_not_resumed_and_what_broke_may_be(store: Store) -> None:
    refused = store.job(fake.played(store, 1, fault="refuse"))
    broken = store.job(fake.played(store, 2, fault="raise"))
    assert not refused.is_resumable and broken.is_resumable


def test_a_run_whose_learner_diverged_keeps_its_rows(store: Store) -> None:
    key = fake.played(store, 1, fault="diverge")
    assert store.job(key).state == JobState.DIVERGED
    assert fake.stored(store, key) == fake.unbroken(fake.spec(1))
    assert store.summary(key)["seed"] == 1


def test_statistics_that_fail_lose_no_row(store: Store) -> None:
    def broken(blocks: object, spec: object) -> dict[str, object]:
        raise ArithmeticError("no interval")

    key = fake.submit(store, 1)
    play(store, store.claim(), replace(fake.TOOLS, summarize=broken), StopSignal())
    assert store.job(key).error == "ArithmeticError: no interval"
    assert fake.stored(store, key) == fake.unbroken(fake.spec(1))


def test_a_worker_that_is_let_go_gives_the_run_back_with_its_work(store: Store) -> None:
    key = fake.submit(store, 1)
    stop_signal = StopSignal()

    def let_go(*asked: object, **more: object) -> Iterator[Event]:
        for event in fake.run(*asked, **more):
            yield event
            if isinstance(event, Checkpoint) and event.state["step"] == 8:
                stop_signal.request_stop()

    play(store, store.claim(), replace(fake.TOOLS, run=let_go), stop_signal)
    assert store.job(key).state == JobState.QUEUED
    claim = store.claim()
    assert claim.checkpoint.state == {"step": 8}
    play(store, claim, fake.TOOLS, StopSignal())
    assert fake.stored(store, key) == fake.unbroken(fake.spec(1))
    assert store.job(key).attempt == 2


def test_a_full_disk_pauses_the_run_and_resume_ends_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = fake.submit(store, 1)
    real, ticks = Recorder.flush, []

    def full(self: Recorder, **keep: bool) -> None:
        ticks.append(keep)
        if len(ticks) > 3:
            raise StoreFull("disk full")
        real(self, **keep)

    with monkeypatch.context() as disk:
        disk.setattr(Recorder, "flush", full)
        disk.setattr(Recorder, "is_due", lambda self: True)
        play(store, store.claim(), fake.TOOLS, StopSignal())
    job = store.job(key)
    assert (job.state, job.error) == (JobState.PAUSED, "disk full")
    assert store.blocks(key)[0]
    store.resume(key)
    play(store, store.claim(), fake.TOOLS, StopSignal())
    assert fake.stored(store, key) == fake.unbroken(fake.spec(1))


def test_a_cancel_is_seen_between_two_events(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder, "is_due", lambda self: True)
    key = fake.submit(store, 1, steps=10**6, pause=0.001)
    worker = threading.Thread(
        target=play, args=(store, store.claim(), fake.TOOLS, StopSignal())
    )
    worker.start()
    until(lambda: store.progress(key).done > 0)
    assert store.cancel(key).state == JobState.CANCELLED
    rows = store.blocks(key)
    worker.join(10)
    assert not worker.is_alive()
    assert store.blocks(key)[1] == rows[1]
    assert store.job(key).state == JobState.CANCELLED
    # Long after, no sweep takes the worker for one that hangs.
    monkeypatch.setattr(leases, "GRACE", -1.0)
    assert store.sweep() == []


def test_a_delete_under_a_running_worker_leaves_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder, "is_due", lambda self: True)
    key = fake.submit(store, 1, steps=10**6, pause=0.001)
    worker = threading.Thread(
        target=play, args=(store, store.claim(), fake.TOOLS, StopSignal())
    )
    worker.start()
    until(lambda: store.progress(key).done > 0)
    store.delete(key)
    worker.join(10)
    assert not worker.is_alive()
    assert not store.folder(key).exists()
    assert store.check() == []
    assert store.count(kind=None) == 0


def test_killed_workers_lose_no_run_and_no_row(tmp_path: Path) -> None:
    outcome = kills.kill_workers(tmp_path / "home", 2)
    assert outcome.held, outcome.figures


def test_a_run_resumed_after_kills_is_the_unbroken_run(tmp_path: Path) -> None:
    outcome = kills.resume_after_kills(tmp_path / "home", 2)
    assert outcome.held, outcome.figures


def test_a_worker_asked_to_end_gives_its_run_back(store: Store) -> None:
    key = fake.submit(store, 1, steps=10**4, pause=0.01)
    with process(store.home, "tests.store.fake_worker") as asked:
        until(is_in(store, key, JobState.RUNNING))
        until(lambda: store.progress(key).done > 0)
        asked.send_signal(signal.SIGTERM)
        start = time.monotonic()
        assert asked.wait(20) == 0
        assert time.monotonic() - start < 15
    assert store.job(key).state == JobState.QUEUED
    assert store.claim().checkpoint is not None


def test_the_worker_and_the_store_need_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys, engine.executors.worker, engine.executors.supervisor;"
        "import engine.store, engine.export;"
        "sys.exit('torch' in sys.modules)"
    )
    import subprocess
    import sys

    assert subprocess.run([sys.executable, "-c", code], cwd=fake.root()).returncode == 0


def test_a_worker_that_waits_for_work_has_not_loaded_scipy() -> None:
    # It takes a third of a second and 16 MB, and most runs need it only at their end.
    code = (
        "import sys; from engine.executors.worker_functions import load_toolkit;"
        "load_toolkit(); sys.exit('scipy' in sys.modules)"
    )
    import subprocess
    import sys

    assert subprocess.run([sys.executable, "-c", code], cwd=fake.root()).returncode == 0


def test_a_fresh_worker_knows_every_part_before_its_first_run(store: Store) -> None:
    from engine.catalogue import find_card
    from engine.contract.run_keys import run_key
    from engine.contract.run_spec import (
        Budget,
        Choice,
        LearnerChoice,
        RunSpec,
        complete_spec,
    )

    wish = RunSpec(
        family=Choice(name="mixtures"),
        learners=(LearnerChoice(name="sgd"),),
        budget=Budget(test_tasks=2, horizon=3, threshold=0.5),
        replicates=2,
    )
    spec = complete_spec(wish, find_card, "cpu")
    key = store.submit(spec, run_key(spec, find_card)).key
    with process(store.home, "engine", "work", "--once") as one:
        one.wait(100)
    job = store.job(key)
    assert (job.state, job.error) == (JobState.DONE, "")
    assert store.fingerprint(key)["threads"] == 1
    assert store.summary(key)["sentence"]
