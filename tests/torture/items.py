"""What is tortured: each item is one promise, a count, and what came of it."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from engine.contract.jobs import ALIVE, JobState
from engine.store import Store
from tests.store import fake


class Outcome(NamedTuple):
    """Whether a promise held, and the figures that show it."""

    held: bool
    figures: str


class SkippedError(Exception):
    """This machine cannot try it, and why."""


Trial = Callable[[Path, int], Outcome]


class Item(NamedTuple):
    """One promise: its name, what is done, and how often in full and in short."""

    name: str
    deed: str
    full: int
    quick: int
    trial: Trial


ITEMS: dict[str, Item] = {}


def item(name: str, deed: str, *, full: int, quick: int) -> Callable[[Trial], Trial]:
    """Enter a trial under its promise."""

    def enter(trial: Trial) -> Trial:
        ITEMS[name] = Item(name, deed, full, quick, trial)
        return trial

    return enter


@contextlib.contextmanager
def process(home: Path, *words: str, **env: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `python -m …` on a store; whatever happens, it is ended by its handle."""
    log = Path(tempfile.gettempdir()) / f"torture-{os.getpid()}-{words[0]}.log"
    with log.open("ab") as said:
        started = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=fake.root(),
            env={**os.environ, "METASCOPE_HOME": str(home), **env},
            stderr=said,
        )
    try:
        yield started
    except Exception as error:
        error.add_note(f"{words} said: {log.read_text()[-2000:]}")
        raise
    finally:
        if started.poll() is None:
            started.kill()
        started.wait()
        log.unlink(missing_ok=True)


def worker(
    home: Path, **env: str
) -> "contextlib.AbstractContextManager[subprocess.Popen[bytes]]":
    """Start a fake worker that keeps a checkpoint every fifth of a second."""
    return process(home, "tests.store.fake_worker", "0.2", **env)


def supervisor(
    home: Path, workers: int = 1
) -> "contextlib.AbstractContextManager[subprocess.Popen[bytes]]":
    """Start a supervisor of fake workers."""
    return process(home, "tests.store.fake_supervisor", str(home), str(workers))


def until(
    claim: Callable[[], bool],
    seconds: float = 60.0,
    progress: Callable[[], object] = lambda: None,
) -> float:
    """Wait until a claim is true and return how long it took.

    Args:
        claim: What is waited for.
        seconds: How long to wait for it, or for the next progress.
        progress: A value that changes as long as it is worth waiting: how long work
            takes is the machine's affair.

    Raises:
        TimeoutError: If neither is there after so many seconds.
    """
    start = looked = time.monotonic()
    before = progress()
    while not claim():
        if time.monotonic() - looked > seconds:
            now = progress()
            if now == before:
                raise TimeoutError(f"not after {seconds:g} s")
            looked, before = time.monotonic(), now
        time.sleep(0.005)
    return time.monotonic() - start


def until_ended(started: "subprocess.Popen[bytes]", store: Store) -> None:
    """Wait for a worker to end by itself, as long as its runs get on."""

    def progress() -> object:
        return [(job.key, job.state, job.done) for job in store.jobs(ALIVE)]

    until(lambda: started.poll() is not None, progress=progress)


def until_done(store: Store, key: str) -> None:
    """Wait for a run to be done, as long as it gets on."""
    done = is_in(store, key, JobState.DONE)
    until(done, progress=lambda: store.progress(key).done)


def over(store: Store, key: str) -> bool:
    """Whether a run waits for nothing any more."""
    job = store.job(key)
    return job is not None and job.state not in ALIVE


def is_in(store: Store, key: str, *states: JobState) -> Callable[[], bool]:
    """Return the claim that a run is in one of these states."""

    def claim() -> bool:
        job = store.job(key)
        return job is not None and job.state in states

    return claim
