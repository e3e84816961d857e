"""How the app answers many visitors at once, beside a training.

    python -m tests.benchmarks.visitors --visitors 50 [--seconds 60] [--watchers 5]
        [--think 1] [--ramp 10] [--port 8621] [--training] [--pages start,lab,claims]
        [--processes 2]

A server and a store of their own are started (`METASCOPE_MODE=demo` is passed on), and
with `--processes` several web processes on that store, behind nginx, which gives each
visitor one of them by the lines of `.hosting/nginx.conf`;
with `--training` one long run in a worker, whose speed is measured first alone, then
beside the visitors. Each visitor loads a page, then clicks on what is there, the think
time after the previous answer; watchers have the training in view. Visitors are
simulated in this process, at lower priority, on the same machine. Printed are seconds
from the request until the page's script has ended and the browser has all figures.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from engine.catalogue import find_card
from engine.contract.run_keys import run_key
from engine.contract.run_spec import complete_spec
from engine.presets import preset
from engine.store import Store
from tests.benchmarks.visitor_client import Answer, Visitor
from tests.benchmarks.visitor_controls import Control
from tests.benchmarks.web_processes import running_servers

PAGES = ("start", "lab", "runs", "claims", "learn")
FIRST = ("lab", "lab", "start", "start", "claims", "learn", "runs")
CLICKED = ("tab", "slider", "selectbox", "button_group", "number_input", "checkbox")
PAGE_CHANGES = 0.15  # share of clicks that go to another page
LOWER = 5  # niceness of this process
MIB = 2**20


class Log:
    """What all visitors have measured."""

    def __init__(self) -> None:
        self.loads: list[Answer] = []
        self.clicks: dict[str, list[Answer]] = defaultdict(list)
        self.errors: list[str] = []
        self.polls: list[float] = []


def start_training(home: Path) -> str:
    """Queue a few-shot training that lasts for hours; return its run key."""
    spec = preset("few_shot").spec
    chosen = tuple(entry for entry in spec.learners if entry.role == "chosen")
    budget = spec.budget.model_copy(update={"task_evaluations": 5_000_000})
    spec = spec.model_copy(
        update={"learners": chosen, "budget": budget, "kind": "", "looks": ()}
    )
    full = complete_spec(spec, find_card, "cpu")
    key = run_key(full, find_card)
    Store.open(home).submit(full, key, "Training beside visitors")
    return key


def training_speed(home: Path, key: str, seconds: float) -> float:
    """Return which share of a training is done per second, over some seconds."""
    store = Store.open(home)
    while not store.progress(key).done:
        time.sleep(0.2)
    first, began = store.progress(key).done, time.monotonic()
    time.sleep(seconds)
    return (store.progress(key).done - first) / (time.monotonic() - began)


def address_of(number: int) -> str:
    """Return a network address that no other visitor has."""
    return f"198.18.{number // 250}.{number % 250 + 1}"


async def visit(
    visitor: Visitor, path: str, log: Log, until: float, think: float
) -> None:
    """Load a page and click until a moment (monotonic seconds)."""
    log.loads.append(await visitor.open(path))
    # Who watches a run goes nowhere else.
    await click_until(visitor, log, until, think, clicks="run=" not in path)


async def click_until(
    visitor: Visitor, log: Log, until: float, think: float, *, clicks: bool = True
) -> None:
    """Click on what an open page has until a moment (monotonic seconds); close it."""
    draw = random.Random(visitor.host)
    while time.monotonic() + think < until:
        await asyncio.sleep(think)
        if clicks:
            name, answer = await _click(visitor, draw)
            log.clicks[name].append(answer)
    log.errors += visitor.errors
    log.polls += visitor.polls
    await visitor.close()


async def _click(visitor: Visitor, draw: random.Random) -> tuple[str, Answer]:
    found: dict[str, list[Control]] = defaultdict(list)
    for control in visitor.controls.values():
        if control.kind in CLICKED and not control.is_disabled and control.choices:
            found[control.kind].append(control)
    if not found or draw.random() < PAGE_CHANGES:
        page = draw.choice(
            [name for name in PAGES if name != (visitor.page or "start")]
        )
        return f"to {page}", await visitor.go(page)
    kind = draw.choice(sorted(found))
    control = draw.choice(found[kind])
    state = control.other(visitor.states.get(control.id), draw)
    place = visitor.page or "start"
    if state is None:
        state = control.choices[0]
    return f"{place}: {kind}", await visitor.set(control, state)


async def visit_all(given: argparse.Namespace, url: str, run: str) -> Log:
    """Let all visitors come within the ramp, and click until the end."""
    log, until = Log(), time.monotonic() + given.ramp + given.seconds
    pages = given.pages.split(",") if given.pages else FIRST

    async def come(number: int) -> None:
        await asyncio.sleep(given.ramp * number / given.visitors)
        watches = number % max(1, given.visitors // max(1, given.watchers)) == 0
        path = f"/lab?run={run}" if watches and given.watchers else ""
        path = path or f"/{pages[number % len(pages)]}".replace("/start", "/")
        visitor = Visitor(url, host=address_of(number))
        await visit(visitor, path, log, until, given.think)

    results = await asyncio.gather(
        *(come(number) for number in range(given.visitors)), return_exceptions=True
    )
    log.errors += [repr(result) for result in results if result is not None]
    return log


def at(answers: list[float], share: float) -> float:
    """Return a quantile of some seconds; 0 of none."""
    found = sorted(answers)
    return round(found[min(len(found) - 1, int(share * len(found)))], 3) if found else 0


def _row(answers: list[Answer]) -> dict[str, Any]:
    times = [answer.seconds for answer in answers]
    return {
        "n": len(times),
        "p50_s": at(times, 0.5),
        "p95_s": at(times, 0.95),
        "max_s": at(times, 1),
        "socket_kB": round(statistics.mean(a.socket_bytes for a in answers) / 1e3, 1),
        "http_kB": round(statistics.mean(a.http_bytes for a in answers) / 1e3, 1),
    }


def measure(given: argparse.Namespace, home: Path) -> Iterator[dict[str, Any]]:
    """Yield a row of figures for each kind of click, then one for all of them."""
    with running_servers(home, given.port, given.processes) as servers:
        os.nice(LOWER)
        run, alone = "", 0.0
        asyncio.run(wait_for_form(f"http://127.0.0.1:{given.port}"))
        if given.training or given.watchers:
            run = start_training(home)
            alone = training_speed(home, run, given.alone)
        before, began = _cpu_seconds(servers), time.monotonic()
        mine = psutil.Process().cpu_times()
        done = Store.open(home).progress(run).done if run else 0.0
        log = asyncio.run(visit_all(given, f"http://127.0.0.1:{given.port}", run))
        seconds = time.monotonic() - began
        used = _cpu_seconds(servers) - before
        own = sum(psutil.Process().cpu_times()[:2]) - sum(mine[:2])
        rss = sum(server.memory_info().rss for server in servers) / MIB
        beside = (Store.open(home).progress(run).done - done) / seconds if run else 0.0
    clicks = [answer for answers in log.clicks.values() for answer in answers]
    for name in sorted(log.clicks):
        yield {"click": name} | _row(log.clicks[name])
    yield {"first load": ""} | _row(log.loads)
    if clicks:
        yield {"all clicks": ""} | _row(clicks)
    yield {
        "visitors": given.visitors,
        "processes": given.processes,
        "watchers": given.watchers,
        "errors": len(log.errors),
        "web_cores": round(used / seconds, 2),
        "web_ms_per_answer": round(
            1e3 * used / max(1, len(clicks) + len(log.loads)), 1
        ),
        "web_MiB": round(rss),
        "visitors_cores": round(own / seconds, 2),
        "polls": len(log.polls),
        "poll_p95_s": at(log.polls, 0.95),
        "training": round(beside / alone, 2) if alone else None,
        "load": os.getloadavg()[0],
    }
    for text in sorted(set(log.errors))[:10]:
        yield {"error": text[:300], "times": log.errors.count(text)}


def _cpu_seconds(servers: list[psutil.Process]) -> float:
    return sum(sum(server.cpu_times()[:2]) for server in servers)


async def wait_for_form(url: str) -> None:
    """Open the Lab until it has its form: the catalogue is made, the engine runs."""
    for _ in range(120):
        visitor = Visitor(url, watches=False)
        await visitor.open("/lab")
        await visitor.close()
        if any("shipped" in control.label for control in visitor.controls.values()):
            return
        await asyncio.sleep(0.5)
    raise RuntimeError("the form did not come")


def main() -> None:
    """Measure, and print a line of JSON for each row."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--visitors", type=int, default=50)
    asked.add_argument("--watchers", type=int, default=0)
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--think", type=float, default=1)
    asked.add_argument("--ramp", type=float, default=10)
    asked.add_argument("--alone", type=float, default=20)
    asked.add_argument("--port", type=int, default=8621)
    asked.add_argument("--pages", default="")
    asked.add_argument("--processes", type=int, default=1)
    asked.add_argument("--training", action="store_true")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(given, Path(folder) / "home"):
            print(json.dumps(row), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
