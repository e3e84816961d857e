import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine import __main__
from engine.contract.jobs import JobState
from engine.executors.stop_signal import StopSignal
from engine.executors.supervisor import (
    Supervisor,
    SupervisorError,
    start_supervisor,
    stop_supervisor,
    supervise,
    supervisor_status,
)
from engine.executors.supervisor_control import STORE
from engine.executors.worker import run_worker
from engine.executors.worker_handle import SUPERVISED
from engine.store import Store, StoreGone
from tests.store import fake
from tests.torture import kills, races
from tests.torture.items import is_in, supervisor, until


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Give the signals back that a supervisor or worker in this process took."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {each: signal.getsignal(each) for each in signals}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "home")


def test_it_plays_what_is_submitted_and_ends_when_asked(store: Store) -> None:
    assert not supervisor_status(store.home)
    with supervisor(store.home) as running:
        until(lambda: supervisor_status(store.home).pid == running.pid)
        key = fake.submit(store, 1)
        until(is_in(store, key, JobState.DONE))
        assert fake.stored(store, key) == fake.unbroken(fake.spec(1))
        with pytest.raises(SupervisorError, match="another"):
            supervise(store.home)
        assert start_supervisor(store.home).pid == running.pid
        workers = psutil.Process(running.pid).children()
        assert len(workers) == 1
        assert stop_supervisor(store.home)
        assert running.wait(20) == 0
    assert not supervisor_status(store.home)
    assert not any(worker.is_running() for worker in workers)
    assert stop_supervisor(store.home)


def test_a_supervisor_whose_store_was_replaced_ends_and_leaves_the_new_one_alone(
    store: Store, tmp_path: Path
) -> None:
    home, away = store.home, tmp_path / "away"
    other = Store.open(tmp_path / "other")
    with supervisor(home) as running:
        until(lambda: supervisor_status(home).workers == 1)
        workers = psutil.Process(running.pid).children()
        home.rename(away)
        other.home.rename(home)
        assert stop_supervisor(home)  # nothing tends the other one
        running.wait(20)
    assert not any(worker.is_running() for worker in workers)
    assert not (home / "supervisor.json").exists()
    assert not (home / "supervisor.lock").exists()
    assert stop_supervisor(away)
    with supervisor(home) as fresh:
        until(lambda: supervisor_status(home).pid == fresh.pid)
        assert stop_supervisor(home)


def test_a_moved_stores_supervisor_ends_and_makes_nothing(
    store: Store, tmp_path: Path
) -> None:
    home, away = store.home, tmp_path / "away"
    with supervisor(home) as running:
        until(lambda: supervisor_status(home).workers == 1)
        key = fake.submit(store, 1, steps=10**4, pause=0.01)
        until(is_in(store, key, JobState.RUNNING))
        home.rename(away)
        assert stop_supervisor(home)
        assert running.wait(20) == 1
        assert stop_supervisor(away)
    assert not home.exists()
    away.rename(home)
    store.sweep()
    assert store.job(key).state == JobState.QUEUED  # it resumes by itself


def test_a_supervisor_and_a_worker_create_no_store_instead_of_a_missing_one(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = store.home
    monkeypatch.setenv(STORE, store.identity)
    home.rename(tmp_path / "away")
    with pytest.raises(StoreGone):
        supervise(home)
    with pytest.raises(StoreGone):
        run_worker(home, fake.TOOLS)
    assert not home.exists()


def test_a_missing_store_is_reported_once_by_the_supervisor_and_not_by_its_workers(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = store.home
    monkeypatch.setenv(STORE, store.identity)
    home.rename(tmp_path / "away")
    assert __main__.main(["supervise", "--home", str(home)]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: the store is gone")
    monkeypatch.setenv(SUPERVISED, "1")
    monkeypatch.setattr("engine.executors.worker.load_toolkit", lambda: fake.TOOLS)
    monkeypatch.setattr("engine.executors.worker.StopSignal", lambda pipe: StopSignal())
    monkeypatch.setattr("engine.executors.worker.cap_memory", lambda: None)
    monkeypatch.setattr("engine.executors.worker._set_oom_score", lambda: None)
    assert __main__.main(["work", "--home", str(home)]) == 1
    assert capsys.readouterr().err == ""


def test_a_tended_store_that_moves_is_one_error(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tending = Supervisor(store, ["true"], 0)
    store.home.rename(tmp_path / "away")
    with pytest.raises(StoreGone):
        tending.run()
    assert not [r for r in caplog.records if "gone" in r.getMessage()]


def test_stop_reports_whether_anything_was_running(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["supervise", "--stop", "--home", str(store.home)]
    assert __main__.main(words) == 0
    assert "nothing was running" in capsys.readouterr().err
    with supervisor(store.home) as running:
        until(lambda: supervisor_status(store.home).pid == running.pid)
        assert __main__.main(words) == 0
        assert "stopped" in capsys.readouterr().err


def test_a_worker_that_hangs_after_a_cancel_is_ended_and_replaced(store: Store) -> None:
    with supervisor(store.home):
        hung = fake.submit(store, 1, fault="hang")
        until(is_in(store, hung, JobState.RUNNING))
        assert store.cancel(hung).state == JobState.CANCELLED
        key = fake.submit(store, 2)
        until(is_in(store, key, JobState.DONE))
        assert store.job(hung).state == JobState.CANCELLED


def test_a_worker_that_crashes_is_lost_once_retried_and_named(tmp_path: Path) -> None:
    outcome = kills.worker_dies(tmp_path / "home", 1)
    assert outcome.held, outcome.figures


def test_no_worker_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    outcome = kills.supervisor_dies(tmp_path / "home", 1)
    assert outcome.held, outcome.figures


def test_a_supervisor_asked_to_end_gives_its_runs_back(tmp_path: Path) -> None:
    outcome = kills.supervisor_is_asked(tmp_path / "home", 1)
    assert outcome.held, outcome.figures


def test_a_cancel_ends_in_one_final_state_with_no_row_after_it(tmp_path: Path) -> None:
    outcome = races.cancel_races(tmp_path / "home", 12)
    assert outcome.held, outcome.figures


def test_processes_that_submit_one_config_make_one_job(tmp_path: Path) -> None:
    outcome = races.submit_races(tmp_path / "home", 3)
    assert outcome.held, outcome.figures


def test_many_clicks_and_a_click_and_a_kill_make_one_listed_job(tmp_path: Path) -> None:
    outcome = races.clicks(tmp_path / "home", 6)
    assert outcome.held, outcome.figures


def test_ten_first_starts_make_one_store(tmp_path: Path) -> None:
    outcome = races.first_starts(tmp_path / "home", 1)
    assert outcome.held, outcome.figures


def test_a_delete_against_a_worker_leaves_nothing(tmp_path: Path) -> None:
    outcome = races.delete_races(tmp_path / "home", 2)
    assert outcome.held, outcome.figures


def test_fresh_processes_give_the_same_bits(tmp_path: Path) -> None:
    from tests.torture import scale

    outcome = scale.fresh_processes(tmp_path / "home", 2)
    assert outcome.held, outcome.figures
