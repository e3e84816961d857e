"""sweep: queues, waits, skips what is done, and leaves nothing behind."""

import csv
import io
import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine import __main__
from engine.contract.jobs import JobState
from engine.executors import queued_runs
from engine.executors.stop_signal import StopSignal
from engine.executors.worker import play
from engine.executors.worker_functions import load_toolkit
from engine.store import RunGroups, Store
from engine.store.listing import JobFilter
from tests.cli.test_cli import TINY, written

GRID = ("--grid", "sgd.lr=0.01,0.1", "--seeds", "1-2")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    return written(tmp_path / "tiny.json", TINY)


@pytest.fixture
def claims(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Play queued runs in this process; return the keys that were played."""
    taken: list[str] = []

    def played(store: Store, is_over: Callable[[], bool], workers: int | None) -> None:
        tools = replace(load_toolkit(), check=None)
        while not is_over():
            claim = store.claim()
            assert claim is not None
            taken.append(claim.key)
            play(store, claim, tools, StopSignal())

    monkeypatch.setattr(queued_runs, "supervise_until", played)
    return taken


def test_a_sweep_is_computed_once_filed_as_one_and_told_as_a_table(
    home: Path,
    tiny: str,
    claims: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["sweep", tiny, *GRID, "--csv", str(tmp_path / "sweep.csv")]
    assert __main__.main(words) == 0
    said = capsys.readouterr()
    assert "4 runs (2 configurations × 2 seeds)" in said.err
    assert "lowest and highest the smallest and the largest difference" in said.err
    table = [line.split() for line in said.out.splitlines()]
    assert [row[:6] for row in table[1:]] == [
        ["sgd.lr", "=", value, "2", "of", "2"] for value in ("0.01", "0.1")
    ]
    assert len(claims) == len(set(claims)) == 4
    rows = list(csv.DictReader(io.StringIO((tmp_path / "sweep.csv").read_text())))
    assert [row["run"] for row in rows] == claims
    assert [(r["sgd.lr"], r["seed"]) for r in rows] == [
        (lr, seed) for lr in ("0.01", "0.1") for seed in ("1", "2")
    ]
    # The table's numbers are those that each run's own summary holds.
    for row in rows:
        found = Store.open(home).summary(row["run"])["claims"][0]
        assert found["primary"]
        assert (row["call"], float(row["low"])) == (found["call"], found["low"])
    assert __main__.main(words) == 0
    assert len(claims) == 4  # finished keys are skipped
    capsys.readouterr()
    assert __main__.main(["runs", "list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == 2
    assert "tiny: sgd.lr × seed (sweep: 4 done)" in listed[1]
    assert __main__.main(["runs", "list", "--group", listed[1].split()[0]]) == 0
    assert "sgd.lr = 0.1, seed = 2" in capsys.readouterr().out
    for word in ("show", "cancel", "resume"):
        assert __main__.main(["runs", word, listed[1].split()[0]]) == 2
        assert (
            "is a sweep; this command takes one of its runs" in capsys.readouterr().err
        )


def test_after_an_interrupt_nothing_of_the_sweep_is_left_in_the_queue(
    home: Path,
    tiny: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(store: Store, is_over: Callable[[], bool], workers: object) -> None:
        assert not is_over()
        signal.raise_signal(signal.SIGINT)
        assert is_over()

    monkeypatch.setattr(queued_runs, "supervise_until", interrupted)
    before = signal.getsignal(signal.SIGINT)
    assert __main__.main(["sweep", tiny, *GRID]) == 130
    assert signal.getsignal(signal.SIGINT) is before
    assert "4 runs cancelled; the same command continues" in capsys.readouterr().err
    store = Store.open(home)
    assert {job.state for job in store.jobs(kind=None)} == {JobState.CANCELLED}
    (group,) = RunGroups(store.index).entries(JobFilter(), 10)
    assert group.states == {JobState.CANCELLED: 4}


def test_a_run_that_another_command_has_queued_outlives_the_sweep(
    home: Path, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*given: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(queued_runs, "supervise_until", interrupted)
    monkeypatch.setattr(queued_runs, "cancel_unfinished", lambda store, keys: 0)
    assert __main__.main(["sweep", tiny, "--seeds", "1"]) == 130  # leaves one queued
    monkeypatch.undo()
    monkeypatch.setenv("METASCOPE_HOME", str(home))
    monkeypatch.setattr(queued_runs, "supervise_until", interrupted)
    assert __main__.main(["sweep", tiny, "--seeds", "1-2"]) == 130
    states = sorted(job.state for job in Store.open(home).jobs())
    assert states == ["cancelled", "queued"]


def test_a_failed_run_is_named_and_fails_the_sweep(
    home: Path,
    tiny: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*given: object, **more: object) -> Iterator[object]:
        raise ZeroDivisionError("a part went wrong")
        yield

    def played(store: Store, is_over: Callable[[], bool], workers: object) -> None:
        tools = replace(load_toolkit(), check=None, run=broken)
        while not is_over():
            play(store, store.claim(), tools, StopSignal())

    monkeypatch.setattr(queued_runs, "supervise_until", played)
    assert __main__.main(["sweep", tiny, "--seeds", "4"]) == 1
    said = capsys.readouterr().err
    assert "error: seed = 4: ZeroDivisionError: a part went wrong" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--grid", "sgd.lrr=1"], "lrr"),
        (["--grid", "learner=no_such"], "no_such"),
        (["--grid", "sgd.lr=-1"], "learners[1].knobs.lr"),
        (["--grid", "sgd.lr=0.05,5e-2"], "given the value 0.05 twice"),
        (["--seeds", "1-300"], "these are 300 runs"),
        (["--csv", "no/such/folder/a.csv"], "the folder of no/such/folder/a.csv"),
        (["--csv", "/"], "/ is a folder; --csv takes a file"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_no_store(
    home: Path,
    tiny: str,
    words: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert __main__.main(["sweep", tiny, *words]) == 2
    printed = capsys.readouterr().err.strip()
    assert said in printed
    assert printed.count("\n") == 0
    assert not home.exists()


def test_runs_that_are_deleted_meanwhile_fail_the_sweep(
    home: Path,
    tiny: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def delete_all(store: Store, is_over: Callable[[], bool], workers: object) -> None:
        while not is_over():
            store.delete(store.claim().key)

    monkeypatch.setattr(queued_runs, "supervise_until", delete_all)
    assert __main__.main(["sweep", tiny, "--seeds", "1-2"]) == 1
    said = capsys.readouterr().err
    assert "error: 2 of 2 runs were deleted meanwhile" in said


@pytest.mark.parametrize("name", ["METASCOPE_WORKERS", "METASCOPE_NICENESS"])
@pytest.mark.parametrize("options", [(), ("--jobs", "2")])
def test_a_setting_that_no_worker_would_take_is_refused_before_a_run_is_queued(
    name: str,
    options: tuple[str, ...],
    home: Path,
    tiny: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, "-40")
    assert __main__.main(["sweep", tiny, *options]) == 2
    assert f"{name} must be a whole number" in capsys.readouterr().err
    assert Store.open(home).count(kind=None) == 0


def test_the_same_spec_twice_is_refused(
    home: Path, tiny: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["sweep", tiny, tiny]) == 2
    assert "is given twice" in capsys.readouterr().err
    other = tmp_path / "other.json"
    other.write_text(json.dumps(TINY))
    assert __main__.main(["sweep", tiny, str(other)]) == 2
    assert "are the same run" in capsys.readouterr().err
