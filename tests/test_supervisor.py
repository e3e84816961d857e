from pathlib import Path

import psutil
import pytest

from engine.contract.jobs import JobState
from engine.store import Store
from engine.supervisor import SupervisorError, alive, stop, supervise, wake
from tests.store import fake
from tests.torture import kills, races
from tests.torture.items import is_in, supervisor, until


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "home")


def test_it_plays_what_is_submitted_and_ends_when_asked(store: Store) -> None:
    assert not alive(store.home)
    with supervisor(store.home) as running:
        until(lambda: alive(store.home).pid == running.pid)
        key = fake.submit(store, 1)
        until(is_in(store, key, JobState.DONE))
        assert fake.stored(store, key) == fake.unbroken(fake.spec(1))
        with pytest.raises(SupervisorError, match="another"):
            supervise(store.home)
        assert wake(store.home).pid == running.pid
        workers = psutil.Process(running.pid).children()
        assert len(workers) == 1
        assert stop(store.home)
        assert running.wait(20) == 0
    assert not alive(store.home)
    assert not any(worker.is_running() for worker in workers)
    assert stop(store.home)


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
