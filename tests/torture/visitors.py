"""Visitors of the demo, while its processes are killed: no accepted run is lost."""

import contextlib
import random
import shutil
import subprocess
import time
from pathlib import Path

import psutil

from engine.contract.jobs import ALIVE, JobState
from engine.store import Store, StoreError, repair
from tests.store import fake
from tests.torture.faults import traced
from tests.torture.items import Outcome, item, process, supervisor, until
from tests.torture.visitor_clicks import visitor

VISITORS = 10


@item("G8", "SIGKILL of worker, supervisor and web under visitors", full=20, quick=1)
def kill_under_visitors(home: Path, count: int) -> Outcome:
    """Kill each of the three so many times, in random order; then let all end."""
    store, accepted = Store.open(home), home.with_name("accepted")
    chance = random.Random(8)
    order = ["worker", "supervisor", "web"] * count
    chance.shuffle(order)
    with contextlib.ExitStack() as stack:
        running = dict[str, subprocess.Popen[bytes]]()
        for name in order:
            _start_missing(stack, running, home, accepted)
            time.sleep(chance.uniform(0.3, 1.5))
            _kill(running, name)
    done = _finish(store, home)
    lost, silent, wrong, total = _look_at_all(store, accepted)
    damaged = len(store.check()) + sum(
        len(visitor(store, n).check()) for n in range(VISITORS)
    )
    figures = (
        f"{len(order)} kills, {total} runs accepted, {done} computed: {lost} lost, "
        f"{silent} ended without a reason, {wrong} wrong, {damaged} damaged"
    )
    return Outcome(total > 0 and not (lost or silent or wrong or damaged), figures)


def _start_missing(
    stack: contextlib.ExitStack,
    running: "dict[str, subprocess.Popen[bytes]]",
    home: Path,
    accepted: Path,
) -> None:
    words = ("tests.torture.visitor_clicks", str(home), str(VISITORS), str(accepted))
    for name in ("supervisor", "web"):
        if name not in running or running[name].poll() is not None:
            started = (
                supervisor(home) if name == "supervisor" else process(home, *words)
            )
            running[name] = stack.enter_context(started)
            if name == "web":
                before = _size(accepted)
                until(lambda before=before: _size(accepted) > before)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _kill(running: "dict[str, subprocess.Popen[bytes]]", name: str) -> None:
    if name != "worker":
        running[name].kill()
        running[name].wait()
        return
    with contextlib.suppress(psutil.Error):  # none is there yet
        for child in psutil.Process(running["supervisor"].pid).children():
            child.kill()


def _finish(store: Store, home: Path) -> int:
    with supervisor(home):
        until(
            lambda: store.count(ALIVE, kind=None) == 0,
            progress=lambda: store.count([JobState.DONE]),
        )
    return store.count([JobState.DONE])


def _look_at_all(store: Store, accepted: Path) -> tuple[int, int, int, int]:
    """Return lost runs, those that do not say why they ended, wrong ones, and all."""
    lost = silent = wrong = 0
    asked = {tuple(line.split()) for line in accepted.read_text().splitlines()}
    for number, key in asked:
        who = visitor(store, int(number))
        job = who.job(key)
        if job is None or job.state in ALIVE:
            lost += 1
        elif job.state != JobState.DONE:
            silent += not job.error
        else:
            wrong += fake.stored(who, key) != fake.unbroken(who.spec(key))
    return lost, silent, wrong, len(asked)


@item("G9", "SIGKILL at a write of a workspace that takes a run over", full=99, quick=3)
def kill_adoption(home: Path, count: int) -> Outcome:
    """Kill at each call in turn (or at so many); both stores must be whole after it."""
    log, fresh = home.with_name("calls.log"), home.with_name("fresh")
    shared = Store.open(fresh)
    key = fake.submit(visitor(shared, 1), 1, steps=3)
    fake.played_on(shared)
    wanted = fake.unbroken(shared.spec(key))
    words = ("tests.torture.take_over", "1")
    shutil.copytree(fresh, home)
    calls = len(traced(home, log, words=words))
    places = range(1, calls + 1, max(1, calls // count))
    broken = sum(
        not _is_whole_after(_restored(home, fresh), log, place, key, wanted)
        for place in places
    )
    return Outcome(not broken, f"{len(places)} of {calls} calls: {broken} broken")


def _restored(home: Path, fresh: Path) -> Path:
    shutil.rmtree(home)
    shutil.copytree(fresh, home)
    return home


def _is_whole_after(
    home: Path, log: Path, place: int, key: str, wanted: dict[tuple[object, ...], bytes]
) -> bool:
    traced(home, log, f"signal=SIGKILL:when={place}", ("tests.torture.take_over", "1"))
    try:
        shared = Store.open(home)
        who = visitor(shared, 1)
        who.follow()
        whole = shared.check() == [] and who.check() == []
        for each in (who, shared):
            repair.tidy(each.index)
            whole = whole and repair.tidy(each.index) == 0
        rows = [fake.stored(each, key) for each in (shared, who)]
    except StoreError:
        return False
    done = who.job(key)
    return whole and done.state == JobState.DONE and rows == [wanted, wanted]
