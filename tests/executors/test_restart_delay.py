"""Workers that die: a run that kills them is to blame itself, else the start is."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from engine import __main__
from engine.contract.jobs import JobState
from engine.executors.restart_delay import LONGEST_PAUSE, RestartDelay
from engine.executors.supervisor import Supervisor
from engine.executors.supervisor_control import SupervisorStatus, supervisor_status
from engine.store import Store, leases
from tests.store import fake
from tests.torture.items import until

DIES = (sys.executable, "-S", "-c", "raise SystemExit(3)")
LIVES = (sys.executable, "-S", "-c", "input()")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "home")


@pytest.fixture
def held(store: Store) -> Iterator[Store]:
    """A store whose lock somebody holds, as a supervisor does."""
    with FileLock(store.home / "supervisor.lock"):
        yield store


def started(supervisor: Supervisor) -> int:
    """Look until a worker is there, no longer, for it dies; return its number."""
    until(lambda: bool(supervisor.pool.children) or supervisor.run_round(), 10)
    return next(iter(supervisor.pool.children))


def hold_a_run(store: Store, pid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker hold the run that has waited longest."""
    holder = leases.ProcessIdentity(
        pid, leases.birth_time(pid) or 0.0, leases.boot_id()
    )
    with monkeypatch.context() as worker:
        worker.setattr(leases, "this_process", lambda: holder)
        store.claim()


def test_runs_that_kill_their_workers_make_no_other_run_wait(
    held: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        fake.submit(held, seed)
    supervisor = Supervisor(held, DIES, 1)
    for _ in range(6):
        pid = started(supervisor)
        hold_a_run(held, pid, monkeypatch)
        until(
            lambda p=pid: supervisor.run_round() or p not in supervisor.pool.children,
            10,
        )
        assert supervisor.pool.children  # the next one is started at once
        assert supervisor_status(held.home).deaths == 0
        assert supervisor_status(held.home).wait == 0
    assert held.count([JobState.LOST]) == 3  # each was tried twice, and no more
    assert "exit code 3" in held.jobs()[0].error
    supervisor._shut_down()


def test_workers_that_die_before_they_take_a_run_are_reported(
    held: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.executors.restart_delay.FIRST_PAUSE", 20.0)
    fake.submit(held, 1)
    supervisor = Supervisor(held, DIES, 1)
    started(supervisor)
    until(
        lambda: supervisor.run_round() or supervisor_status(held.home).deaths == 1, 10
    )
    told = supervisor_status(held.home)
    assert 0 < told.wait <= LONGEST_PAUSE
    assert told.reason == "ended with exit code 3"
    assert "1 died" in told.trouble and "exit code 3" in told.trouble
    supervisor.run_round()
    assert not supervisor.pool.children  # the next one waits
    assert held.jobs()[0].state == JobState.QUEUED


def test_a_worker_that_takes_a_run_ends_the_count(
    held: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.submit(held, 1)
    supervisor = Supervisor(held, LIVES, 1)
    supervisor.pool._deaths = RestartDelay(
        4, time.monotonic(), "ended with exit code 3"
    )
    pid = started(supervisor)
    assert supervisor_status(held.home).deaths == 4
    hold_a_run(held, pid, monkeypatch)
    until(
        lambda: supervisor.run_round() or supervisor_status(held.home).deaths == 0, 10
    )
    supervisor._shut_down()


def test_each_death_doubles_the_pause_up_to_its_limit() -> None:
    deaths, pauses = RestartDelay(), []
    for _ in range(2000):
        deaths.add("ended")
        pauses.append(deaths.next_start - time.monotonic())
    assert pauses[0] < pauses[1] < pauses[2] < pauses[-1] <= LONGEST_PAUSE
    assert deaths.is_pausing
    deaths.clear()
    assert not deaths.is_pausing and deaths == RestartDelay()


def note(store: Store, **deaths: object) -> None:
    text = json.dumps({"pid": 1, "workers": 0, "deaths": deaths})
    (store.home / "supervisor.json").write_text(text)


def dying(store: Store) -> None:
    """Leave the note of a supervisor whose workers die."""
    now = time.monotonic()
    note(
        store,
        count=4,
        since=now - 70,
        reason="was killed by SIGSEGV",
        next_start=now + 20,
    )


def test_the_command_line_says_why_a_queued_run_waits(
    held: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("METASCOPE_HOME", str(held.home))
    fake.submit(held, 1)
    dying(held)
    assert __main__.main(["runs", "list"]) == 0
    said = capsys.readouterr().err
    assert "No worker can start: 4 died in 7" in said and "SIGSEGV" in said
    assert "starts in" in said
    note(held, count=0)
    assert __main__.main(["runs", "list"]) == 0
    assert capsys.readouterr().err == ""


def test_the_doctor_finds_workers_that_die(
    held: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from engine.cli import doctor

    dying(held)
    findings = {f.subject: f for f in doctor._check_store(held.home)}
    assert not findings["engine"].is_fine
    assert "4 died" in findings["engine"].message


def test_a_list_of_queued_runs_says_that_the_engine_is_asleep(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("METASCOPE_HOME", str(store.home))
    fake.submit(store, 1)
    assert __main__.main(["runs", "list"]) == 0
    assert "asleep" in capsys.readouterr().err


@pytest.mark.parametrize("deaths", [{"counts": 3}, {"reason": "ended"}, {}])
def test_a_note_of_another_version_is_no_trouble(
    held: Store, deaths: dict[str, object]
) -> None:
    note(held, **deaths)
    assert supervisor_status(held.home) == SupervisorStatus(
        True, 1, 0, reason=deaths.get("reason", "")
    )
