"""Processes killed at random moments: nothing lost, nothing twice, same numbers."""

import random
import time
from pathlib import Path

from engine.contract.jobs import RESUMABLE, JobState
from engine.export import RunRecord, metrics_csv
from engine.store import Store
from tests.store import fake
from tests.torture.items import (
    Outcome,
    is_in,
    item,
    supervisor,
    until,
    until_done,
    until_ended,
    worker,
)

STEPS, PAUSE = 120, 0.01


@item("A1", "SIGKILL of a worker at a random moment", full=200, quick=10)
def kill_workers(home: Path, count: int) -> Outcome:
    """Kill worker after worker; what a reader has seen must stay."""
    store = Store.open(home)
    chance, keys = random.Random(1), []
    seen: dict[str, dict[tuple[object, ...], bytes]] = {}
    missing = running = 0
    for _ in range(count):
        keys += _refill(store, len(keys))
        with worker(home) as killed:
            until(lambda: any(j.state == JobState.RUNNING for j in store.jobs()))
            time.sleep(chance.uniform(0.0, 0.8))
            seen |= {key: fake.stored(store, key) for key in keys[-3:]}
            killed.kill()
        store.sweep()
        running += store.count([JobState.RUNNING])
        for key, rows in seen.items():
            missing += sum(fake.stored(store, key).get(a) != r for a, r in _fixed(rows))
        _resume_all(store)
    wrong = _finish(store, keys)
    damaged = len(store.check())
    store.tidy()  # as a start does
    orphans = store.tidy()
    figures = (
        f"{count} kills, {len(keys)} runs: {wrong} wrong, {missing} rows missing, "
        f"{running} left running, {damaged} damaged, {orphans} orphans"
    )
    return Outcome(not (wrong or missing or running or damaged or orphans), figures)


def _refill(store: Store, known: int) -> list[str]:
    if store.count([JobState.QUEUED, JobState.RUNNING]) >= 2:
        return []
    return [fake.submit(store, known + i, steps=STEPS, pause=PAUSE) for i in range(2)]


def _fixed(
    rows: dict[tuple[object, ...], bytes],
) -> list[tuple[tuple[object, ...], bytes]]:
    """Leave out the live view, which the next one replaces."""
    return [(a, r) for a, r in rows.items() if a[1] != "validate"]


def _resume_all(store: Store) -> None:
    for job in store.jobs(RESUMABLE):
        store.resume(job.key)


def _finish(store: Store, keys: list[str]) -> int:
    """Let one worker end everything; returns how many runs are not as unbroken."""
    with worker(store.home, METASCOPE_FAKE_ONCE="1") as last:
        until_ended(last, store)
    return sum(not _as_unbroken(store, key) for key in keys)


def _as_unbroken(store: Store, key: str) -> bool:
    job = store.job(key)
    done = job is not None and job.state == JobState.DONE
    return done and fake.stored(store, key) == fake.unbroken(store.spec(key))


@item("A2", "one run killed and resumed, again and again", full=20, quick=4)
def resume_after_kills(home: Path, count: int) -> Outcome:
    """Kill one run after each bit of progress, then compare rows, weights and CSV."""
    store, chance = Store.open(home), random.Random(2)
    key = fake.submit(store, 7, steps=120 * (count + 1), pause=0.03)
    for _ in range(count):
        before = store.progress(key).done
        with worker(home) as killed:
            until(lambda before=before: store.progress(key).done > before)
            time.sleep(chance.uniform(0.0, 0.4))
            killed.kill()
        store.sweep()
        _resume_all(store)
    wrong = _finish(store, [key])
    spec = store.spec(key)
    whole = RunRecord.from_events(key, spec, fake.unbroken_events(spec))
    weights = store.artefact(key, "walk").arrays["place"].tobytes()
    same = weights == whole.artefacts[0].arrays["place"].tobytes()
    csv = metrics_csv(RunRecord.from_store(store, key), traces=True)
    same = same and csv == metrics_csv(whole, traces=True)
    attempts = getattr(store.job(key), "attempt", 0)
    figures = f"{count} kills, {attempts} attempts: rows, weights, CSV equal: {same}"
    return Outcome(not wrong and same and attempts > count, figures)


@item("B1", "a worker that is killed, or kills itself", full=10, quick=1)
def worker_dies(home: Path, count: int) -> Outcome:
    """See how long a dead worker's run says that it runs."""
    store = Store.open(home)
    slowest = 0.0
    with supervisor(home):
        for seed in range(count):
            key = fake.submit(store, seed, fault="segfault", at=3)
            until(is_in(store, key, JobState.RUNNING, JobState.LOST))
            slowest = max(slowest, until(is_in(store, key, JobState.LOST), 30))
    job = store.jobs([JobState.LOST])[0]
    told = job.attempt == 2 and "SIGSEGV" in job.error
    figures = f"{count} segfaults: lost, once retried, after at most {slowest:.1f} s"
    return Outcome(told and slowest <= 15, figures)


@item("B4", "SIGKILL of the supervisor over a running worker", full=10, quick=1)
def supervisor_dies(home: Path, count: int) -> Outcome:
    """Kill the supervisor; its workers must go, and the run go on after the start."""
    import psutil

    store, slowest = Store.open(home), 0.0
    key = fake.submit(store, 4, steps=60 + 60 * count, pause=0.02)
    for _ in range(count):
        with supervisor(home) as killed:
            until(is_in(store, key, JobState.RUNNING))
            children = psutil.Process(killed.pid).children()
            time.sleep(0.4)
            killed.kill()
            killed.wait()
            slowest = max(slowest, until(lambda c=children: not _any_alive(c), 20))
    with supervisor(home):
        until_done(store, key)
    figures = f"{count} kills: workers gone after at most {slowest:.1f} s"
    return Outcome(slowest <= 10 and _as_unbroken(store, key), figures)


def _any_alive(processes: list[object]) -> bool:
    import psutil

    alive = [p for p in processes if isinstance(p, psutil.Process) and p.is_running()]
    return any(p.status() != psutil.STATUS_ZOMBIE for p in alive)


@item("B8", "SIGTERM to a supervisor over a running worker", full=5, quick=1)
def supervisor_is_asked(home: Path, count: int) -> Outcome:
    """Ask the supervisor to end; the run must be back in the queue with its work."""
    store, slowest = Store.open(home), 0.0
    key = fake.submit(store, 5, steps=60 + 60 * count, pause=0.02)
    for _ in range(count):
        with supervisor(home) as asked:
            until(is_in(store, key, JobState.RUNNING))
            before = store.progress(key).done
            until(lambda before=before: store.progress(key).done > before)
            start = time.monotonic()
            asked.terminate()
            asked.wait(30)
            slowest = max(slowest, time.monotonic() - start)
    queued = is_in(store, key, JobState.QUEUED)()
    with supervisor(home):
        until_done(store, key)
    figures = (
        f"{count} times: ended after at most {slowest:.1f} s, queued again: {queued}"
    )
    return Outcome(slowest <= 6 and queued and _as_unbroken(store, key), figures)
