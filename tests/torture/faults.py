"""Faults of the disk and of the moment: full, read-only, gone, killed at every call.

Source: `strace -e inject=…` kills or fails a process at its k-th system call.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from engine.contract.jobs import ALIVE, RESUMABLE, JobState
from engine.store import Store, StoreError
from tests.store import fake
from tests.torture.items import (
    Outcome,
    SkippedError,
    is_in,
    item,
    process,
    supervisor,
    until,
    until_ended,
    worker,
)

# what makes a store change: writes, syncs, renames, cuts, removals
CALLS = "write,pwrite64,fsync,fdatasync,rename,ftruncate,unlink,mkdir,rmdir"
_NOISE = re.compile(r"write\([012],")


PLAY = ("tests.store.fake_worker", "0")


def traced(
    home: Path, log: Path, inject: str = "", words: tuple[str, ...] = PLAY
) -> list[str]:
    """Run a module under strace; returns the calls that it made.

    Args:
        home: The store.
        log: Where the calls are listed.
        inject: What happens to them; nothing if empty.
        words: The module and its arguments; what is queued is played by default.

    Raises:
        SkippedError: If strace is not here or may not trace.
    """
    if shutil.which("strace") is None:
        raise SkippedError("strace is not installed")
    command = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={CALLS}"]
    command += ["-e", f"inject={CALLS}:{inject}"] if inject else []
    command += [sys.executable, "-m", *words]
    env = {**os.environ, "METASCOPE_HOME": str(home), "METASCOPE_FAKE_ONCE": "1"}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    told = subprocess.run(
        command, cwd=fake.root(), env=env, stderr=subprocess.PIPE, check=False
    )
    if b"ptrace" in told.stderr or not log.exists():
        raise SkippedError("this machine does not let strace trace")
    return log.read_text().splitlines()


@item(
    "A4", "SIGKILL at a write, sync, rename or removal of a run", full=10_000, quick=3
)
def kill_at_every_call(home: Path, count: int) -> Outcome:
    """Kill at each of the calls in turn (or at so many of them, spread evenly)."""
    log = home.with_name("calls.log")
    fresh = home.with_name("fresh")
    key = fake.submit(Store.open(fresh), 1, steps=3)
    shutil.copytree(fresh, home)
    calls = len(traced(home, log))
    wanted = fake.unbroken(Store.open(home).spec(key))
    places = range(1, calls + 1, max(1, calls // count))
    unopened = wrong = orphans = 0
    for place in places:
        shutil.rmtree(home)
        shutil.copytree(fresh, home)
        traced(home, log, f"signal=SIGKILL:when={place}")
        try:
            wrong += not _recovers(home, key, wanted)
            store = Store.open(home)
            store.tidy()
            orphans += store.tidy()
        except StoreError:
            unopened += 1
    figures = (
        f"{len(places)} of {calls} calls: {unopened} stores not opened, "
        f"{wrong} runs not resumed, {orphans} orphans"
    )
    return Outcome(not (unopened or wrong or orphans), figures)


def _recovers(home: Path, key: str, wanted: dict[tuple[object, ...], bytes]) -> bool:
    """Sweep, play on in this process, and compare."""
    store = Store.open(home)
    store.sweep()
    if store.job(key).state in RESUMABLE:
        store.resume(key)
    if store.job(key).state in ALIVE:
        fake.played_on(store)
    whole = store.check() == [] and store.job(key).state == JobState.DONE
    return whole and fake.stored(store, key) == wanted


@item("A7", "EIO at a write, sync or rename of a run", full=10_000, quick=3)
def fail_every_call(home: Path, count: int) -> Outcome:
    """Whatever fails: a run that says done is there, with its numbers."""
    log = home.with_name("calls.log")
    fresh = home.with_name("fresh")
    key = fake.submit(Store.open(fresh), 1, steps=3)
    shutil.copytree(fresh, home)
    calls = len(traced(home, log))
    wanted = fake.unbroken(Store.open(home).spec(key))
    places = range(1, calls + 1, max(1, calls // count))
    lied = 0
    for place in places:
        shutil.rmtree(home)
        shutil.copytree(fresh, home)
        traced(home, log, f"error=EIO:when={place}")
        store = Store.open(home)
        if store.job(key).state == JobState.DONE:
            lied += store.check() != [] or fake.stored(store, key) != wanted
    figures = f"{len(places)} of {calls} calls: {lied} successes that were none"
    return Outcome(not lied, figures)


@contextlib.contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """Mount a small disk.

    Raises:
        SkippedError: If that is not allowed here.
    """
    place.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if (
        shutil.which("mount") is None
        or subprocess.run(command, capture_output=True, check=False).returncode
    ):
        raise SkippedError("mounting a small disk is not allowed here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


@item("A5", "a run that fills its disk", full=64, quick=8)
def full_disk(home: Path, count: int) -> Outcome:
    """Count is the disk's size in MB."""
    with small_disk(home, f"{count}m"):
        store = Store.open(home / "store")
        other = fake.played(store, 1)
        bulk = {"steps": 60 * count, "bulk": 2000, "pause": 0.001}
        key = fake.submit(store, 2, **bulk)
        with worker(store.home):
            paused = _pause_after_full(store, key, home)
        (home / "filler").write_bytes(b"x" * max(0, _free(home)))
        told = store.job(key).error
        start = time.monotonic()
        opened = Store.open(store.home)
        opens = time.monotonic() - start
        readable = bool(opened.blocks(key)[0]) and opened.count() == 2
        uncached = opened.cache.set("a", 1) is False
        opened.delete(other)
        deleted = opened.job(other) is None
        (home / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,size=2g", str(home)], check=True)
        opened.resume(key)
        with worker(store.home, METASCOPE_FAKE_ONCE="1") as last:
            until_ended(last, store)
        same = fake.stored(opened, key) == fake.unbroken(opened.spec(key))
    figures = (
        f"{count} MB: {told!r} after {paused:.1f} s, readable: {readable}, deleted: "
        f"{deleted}, opened in {opens:.2f} s, resumed identical: {same}"
    )
    held = told == "disk full" and paused <= 10 and opens < 5 and uncached
    return Outcome(held and readable and deleted and same, figures)


def _pause_after_full(store: Store, key: str, disk: Path) -> float:
    """Wait for the pause; returns the seconds between the disk's last change and it."""
    changes: dict[int, float] = {}
    paused = is_in(store, key, JobState.PAUSED)

    def claim() -> bool:
        changes.setdefault(_free(disk), time.monotonic())
        return paused()

    until(claim, progress=lambda: _free(disk))
    return time.monotonic() - max(changes.values())


def _free(home: Path) -> int:
    space = os.statvfs(home)
    return space.f_bavail * space.f_frsize


@item("A6", "a store made read-only, and one that vanishes", full=5, quick=1)
def read_only_and_gone(home: Path, count: int) -> Outcome:
    """Ask a store that cannot be written; it must say so at once and not spin."""
    slowest = busiest = 0.0
    told = 0
    with small_disk(home, "16m"):
        for seed in range(count):
            at = home / str(seed)
            key = fake.played(Store.open(at), seed)
            subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
            start, spent = time.monotonic(), time.process_time()
            store = Store.open(at)
            readable = bool(store.blocks(key)[0]) and len(store.jobs()) == 1
            told += readable and _says(lambda s=store: fake.submit(s, 99), "read-only")
            store.cache.set("a", 1)
            with supervisor(at) as refused:
                told += refused.wait(30) != 0
            slowest = max(slowest, time.monotonic() - start)
            busiest = max(busiest, time.process_time() - spent)
            subprocess.run(["mount", "-o", "remount,rw", str(home)], check=True)
            with supervisor(at) as running:
                until(lambda at=at: (at / "supervisor.json").exists())
                busiest = max(busiest, _share(running.pid))
                at.rename(home / f"{seed}-gone")
                told += _says(store.jobs, "gone")
                running.wait(30)
    figures = (
        f"{told} of {3 * count} told, after at most {slowest:.2f} s, "
        f"processor {busiest * 100:.0f} %"
    )
    return Outcome(told == 3 * count and slowest < 5 and busiest < 0.2, figures)


def _says(act: object, word: str) -> bool:
    try:
        act()  # type: ignore[operator]
    except StoreError as error:
        return word in str(error) and "\n" not in str(error)
    return False


def _share(pid: int) -> float:
    """Return the share of a processor that a process and its children take, idle."""
    time.sleep(2)
    family = [psutil.Process(pid), *psutil.Process(pid).children()]

    def spent() -> float:
        return sum(sum(each.cpu_times()[:2]) for each in family)

    before = spent()
    time.sleep(2)
    return (spent() - before) / 2


@item("B7", "a run that eats all memory it can get", full=2, quick=1)
def memory_hog(home: Path, count: int) -> Outcome:
    """Cap a worker's memory; the hog must fail or be lost, and others go on."""
    store = Store.open(home)
    cap = {"METASCOPE_WORKER_MIB": "1500"}
    for seed in range(count):
        key = fake.submit(store, seed, fault="hog", at=1)
        with process(
            home, "tests.store.fake_worker", METASCOPE_FAKE_ONCE="1", **cap
        ) as one:
            one.wait(120)
        store.sweep()
    after = fake.played(store, 100)
    job = store.job(key)
    figures = f"{count} hogs: {job.state}, {job.error!r}"
    ended = job.state in (JobState.FAILED, JobState.LOST, JobState.QUEUED)
    return Outcome(ended and store.job(after).state == JobState.DONE, figures)
