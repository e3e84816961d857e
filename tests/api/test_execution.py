"""Runs from Python: cached, resumable, and polite to the process that asks."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

import metascope as ms
from engine.contract.jobs import JobState
from engine.store import Store
from metascope import execution


def test_a_run_is_computed_once_and_the_lab_lists_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ms.run("smoke", replicates=1, store=tmp_path, title="mine")
    job = Store.open(tmp_path).job(first.key)
    assert job is not None and (job.state, job.title) == (JobState.DONE, "mine")
    monkeypatch.setattr(execution, "_play", lambda *args: pytest.fail("computed again"))
    again = ms.run("smoke", replicates=1, store=tmp_path)
    assert again.metrics.equals(first.metrics)


def test_ctrl_c_keeps_a_checkpoint_from_which_the_same_call_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smoke: ms.Result
) -> None:
    stages: list[str] = []

    @contextmanager
    def interrupt(wanted: bool) -> Iterator[Callable[[float, str], None]]:
        def show(done: float, text: str) -> None:
            stages.append(text)
            if len(stages) == 6:
                os.kill(os.getpid(), signal.SIGINT)

        yield show

    monkeypatch.setattr(execution, "show_progress", interrupt)
    with pytest.raises(KeyboardInterrupt, match="continues from there"):
        ms.run("smoke", replicates=2, store=tmp_path)
    job = Store.open(tmp_path).job(smoke.key)
    assert job is not None and job.state is JobState.CANCELLED and job.done > 0
    result = ms.run("smoke", replicates=2, store=tmp_path)
    assert result.metrics.equals(smoke.metrics)


def test_a_run_leaves_torchs_threads_and_random_numbers_alone(tmp_path: Path) -> None:
    torch.set_num_threads(2)
    try:
        torch.manual_seed(1)
        wanted = torch.rand(3)
        torch.manual_seed(1)
        ms.run("smoke", replicates=1, store=None)
        assert torch.get_num_threads() == 2
        assert torch.equal(torch.rand(3), wanted)
    finally:
        torch.set_num_threads(1)


def test_nothing_is_kept_without_a_store(tmp_path: Path) -> None:
    os.environ["METASCOPE_HOME"], before = str(tmp_path), os.environ["METASCOPE_HOME"]
    try:
        ms.run("smoke", replicates=1, store=None)
        assert not list(tmp_path.iterdir())
    finally:
        os.environ["METASCOPE_HOME"] = before


def test_a_refusal_leaves_nothing_in_the_queue(tmp_path: Path) -> None:
    with pytest.raises(ms.Refused):
        ms.run("smoke", learner={"lr": -1.0}, store=tmp_path)
    assert not (tmp_path / "index.sqlite").exists()
