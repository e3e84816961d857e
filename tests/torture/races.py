"""Many at once: clicks, cancels, processes, readers and writers."""

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from engine.contract.jobs import FINAL, JobState
from engine.store import Store, StoreBusy
from tests.store import fake
from tests.torture.clicker import BUSY
from tests.torture.items import (
    Outcome,
    is_in,
    item,
    over,
    process,
    supervisor,
    until,
    until_ended,
)


@item("B6", "a cancel against a run that starts, runs or ends", full=1000, quick=20)
def cancel_races(home: Path, count: int) -> Outcome:
    """Cancel at a random moment: one final state, at once, and no row after it."""
    store, chance = Store.open(home), random.Random(6)
    late = moved = 0
    slowest, states = 0.0, {JobState.DONE: 0, JobState.CANCELLED: 0}
    with supervisor(home, 2):
        for seed in range(count):
            key = fake.submit(store, seed, steps=4, pause=0.01)
            time.sleep(chance.uniform(0.0, 0.25))
            start = time.monotonic()
            job = store.cancel(key)
            slowest = max(slowest, time.monotonic() - start)
            states[job.state] += 1
            cursor = store.blocks(key)[1]
            if seed % 10 == 9:
                time.sleep(0.6)
            late += store.blocks(key)[1] != cursor
            moved += store.jobs()[0] != store.job(key)
        finals = [store.count([state]) for state in FINAL]
    figures = (
        f"{count} races: {states[JobState.CANCELLED]} cancelled, "
        f"{states[JobState.DONE]} done first, visible after at most {slowest:.2f} s, "
        f"{late} with rows after it"
    )
    held = not late and not moved and slowest <= 2 and sum(finals) == count
    return Outcome(held, figures)


@item("C1", "one config submitted by many processes at one instant", full=100, quick=3)
def submit_races(home: Path, count: int) -> Outcome:
    """Count is rounds; 50 processes in full, 4 in short."""
    store = Store.open(home)
    clickers = 50 if count >= 50 else 4
    command = [sys.executable, "-m", "tests.torture.clicker", str(home)]
    twice = busy = 0
    with ExitStack() as stack:
        racers = [stack.enter_context(_racer(command)) for _ in range(clickers)]
        for racer in racers:
            _answer(racer)
        for seed in range(count):
            wish = fake.spec(seed, steps=1)
            at = time.time() + 0.02 + clickers * 0.004
            question = {"spec": wish.model_dump(mode="json"), "at": at}
            waiting, answers = racers, set[str]()
            while waiting:
                for racer in waiting:
                    _ask(racer, question)
                told = {racer: _answer(racer) for racer in waiting}
                waiting = [racer for racer in waiting if told[racer] == BUSY]
                busy += len(waiting)
                answers |= set(told.values()) - {BUSY}
            twice += answers != {fake.key(wish)} or store.count() != seed + 1
    with process(home, "tests.store.fake_worker", METASCOPE_FAKE_ONCE="1") as one:
        until_ended(one, store)
    jobs = store.jobs(limit=count + 1)
    once = sum(job.attempt == 1 and job.state == JobState.DONE for job in jobs)
    figures = (
        f"{clickers} processes, {count} rounds: {twice} doubled, {once} computed once, "
        f"{busy} told 'store busy' and asked again"
    )
    return Outcome(not twice and once == count, figures)


def _racer(command: list[str]) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=fake.root())


def _ask(racer: "subprocess.Popen[bytes]", question: object) -> None:
    assert racer.stdin is not None
    racer.stdin.write(json.dumps(question).encode() + b"\n")
    racer.stdin.flush()


def _answer(racer: "subprocess.Popen[bytes]") -> str:
    assert racer.stdout is not None
    return racer.stdout.readline().decode().strip()


@item("C2", "one to five clicks in 300 ms, and a click and a kill", full=100, quick=6)
def clicks(home: Path, count: int) -> Outcome:
    """Click from several threads; every tenth time a process clicks and dies."""
    store, chance = Store.open(home), random.Random(2)
    doubled = unlisted = 0
    for seed in range(count):
        if seed % 10 == 5:
            with process(home, "tests.torture.clicker", str(home), str(seed)) as one:
                until(
                    lambda seed=seed: store.job(fake.key(fake.spec(seed))) is not None
                )
                one.kill()
        else:
            delays = [chance.uniform(0, 0.3) for _ in range(chance.randint(1, 5))]
            with ThreadPoolExecutor(5) as pool:
                list(pool.map(lambda d, s=seed: _click(store, s, d), delays))
        listed = [job.key for job in store.jobs(limit=count + 9)]
        doubled += len(listed) != seed + 1
        unlisted += fake.key(fake.spec(seed)) not in listed
    figures = f"{count} rounds: {doubled} doubled, {unlisted} not listed"
    return Outcome(not doubled and not unlisted, figures)


def _click(store: Store, seed: int, delay: float) -> None:
    time.sleep(delay)
    fake.submit(store, seed)


@item("C3", "eight writers and eight readers, for so many seconds", full=600, quick=5)
def traffic(home: Path, count: int) -> Outcome:
    """Writers file a row twice a second, as workers do; readers poll as pages do."""
    store = Store.open(home)
    for seed in range(8):
        fake.submit(store, seed)
    with ExitStack() as stack:
        roles = ["write"] * 8 + ["read"] * 8
        for place, role in enumerate(roles):
            words = ("tests.torture.traffic", str(home), role, str(place), str(count))
            stack.enter_context(process(home, *words))
        until(lambda: len(list(home.glob("../*.times"))) == 16, count + 120)
    times = {role: _times(home, role) for role in ("write", "read")}
    errors = sum(value < 0 for each in times.values() for value in each)
    worst = {
        role: statistics.quantiles(each, n=100)[98] for role, each in times.items()
    }
    figures = (
        f"{count} s: {len(times['write'])} writes, p99 {worst['write'] * 1e3:.0f} ms; "
        f"{len(times['read'])} reads, p99 {worst['read'] * 1e3:.0f} ms; {errors} errors"
    )
    return Outcome(not errors, figures)


def _times(home: Path, role: str) -> list[float]:
    told = (path.read_text() for path in home.parent.glob(f"{role}-*.times"))
    return [value for text in told for value in json.loads(text)]


@item("C4", "a writer frozen inside a transaction", full=5, quick=1)
def frozen_writer(home: Path, count: int) -> Outcome:
    """Stop a process that holds the write lock; others must say so, and then go on."""
    store, slowest, told = Store.open(home), 0.0, 0
    for seed in range(count):
        with process(home, "tests.torture.holder", str(home)) as holder:
            until((home / "held").exists)
            os.kill(holder.pid, signal.SIGSTOP)
            start = time.monotonic()
            try:
                fake.submit(store, seed)
            except StoreBusy:
                told += 1
            slowest = max(slowest, time.monotonic() - start)
        (home / "held").unlink()
        fake.submit(store, seed)
    figures = f"{told} of {count} told 'store busy' after at most {slowest:.1f} s"
    return Outcome(told == count and slowest <= 5 and store.count() == count, figures)


@item("C5", "ten first starts at once", full=20, quick=2)
def first_starts(home: Path, count: int) -> Outcome:
    """Open a store that is not there yet from ten threads behind one barrier."""
    failed = 0
    for place in range(count):
        at, gate = home / str(place), threading.Barrier(10)

        def start(_: int, at: Path = at, gate: threading.Barrier = gate) -> int:
            gate.wait()
            return Store.open(at).count()

        with ThreadPoolExecutor(10) as pool:
            failed += list(pool.map(start, range(10))) != [0] * 10
        failed += not Store.open(at).index.is_sound()
    return Outcome(not failed, f"{count} times ten starts: {failed} failed")


@item("C6", "a delete against views, a resume and a worker", full=100, quick=3)
def delete_races(home: Path, count: int) -> Outcome:
    """Delete runs while they are computed and read; nothing of them may stay."""
    store, chance, odd = Store.open(home), random.Random(6), 0
    with supervisor(home):
        for seed in range(count):
            key = fake.submit(store, seed, steps=20, pause=0.01)
            until(is_in(store, key, JobState.RUNNING, JobState.DONE))
            time.sleep(chance.uniform(0.0, 0.5))
            store.delete(key)
            odd += store.job(key) is not None
        last = fake.submit(store, count, steps=2)
        until(lambda: over(store, last), 60)
    store.check()
    store.tidy()
    left = {path.name for path in (home / "runs").iterdir()} - {last}
    figures = (
        f"{count} deletes: {odd + store.count() - 1} listed, {len(left)} folders left"
    )
    return Outcome(not odd and not left and store.count() == 1, figures)
