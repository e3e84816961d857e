"""A supervisor whose workers are elsewhere: the app and `--stop` see one like any."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine import __main__
from engine.contract.jobs import JobState
from engine.executors.remote_supervisor import supervise_remotely
from engine.executors.stop_signal import StopSignal
from engine.executors.supervisor import (
    SupervisorError,
    start_supervisor,
    stop_supervisor,
    supervisor_status,
)
from engine.executors.worker import play
from engine.store import Store
from tests.store import fake


class Elsewhere:
    """Computes here what other machines would."""

    slots = 3

    def run_until(self, store: Store, is_over: Callable[[], bool]) -> None:
        while not is_over():
            if (claim := store.claim()) is not None:
                play(store, claim, fake.TOOLS, StopSignal())
            time.sleep(0.02)


@contextmanager
def connect(store: Store) -> Iterator[Elsewhere]:
    yield Elsewhere()


def test_the_app_leaves_the_queue_to_it_until_it_is_stopped(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "home")
    key = fake.submit(store, 1)
    seen: list[object] = []

    def watch() -> None:
        """Do what the app does, then what the command line does."""
        deadline = time.monotonic() + 20
        while store.job(key).state in (JobState.QUEUED, JobState.RUNNING):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        seen.append(start_supervisor(store.home))
        with pytest.raises(SupervisorError, match="another"):
            supervise_remotely(store.home, connect)
        seen.append(stop_supervisor(store.home))

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert supervise_remotely(store.home, connect) == 0  # signals reach this thread
    watcher.join()
    found, stopped = seen
    assert (found.alive, found.workers, found.trouble) == (True, 3, "")
    assert stopped and not supervisor_status(store.home)
    assert store.job(key).state == JobState.DONE


def test_an_address_without_a_cluster_is_refused_before_anything_is_locked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["supervise", "--home", str(tmp_path / "home"), "--address", "auto"]
    assert __main__.main(words) == 2
    assert "add --on ray" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()
