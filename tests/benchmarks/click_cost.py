"""What one click costs the server: CPU and bytes, without a queue of other visitors.

    python -m tests.benchmarks.click_cost [--times 20] [--port 8622] [--only lab]

One visitor repeats each click; the first two of each are not counted, since they fill
caches that later visitors share. CPU is that of the whole web process.
"""

import argparse
import asyncio
import itertools
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import psutil
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.benchmarks.visitor_client import Answer, Visitor
from tests.benchmarks.visitor_controls import Control
from tests.benchmarks.visitors import (
    address_of,
    start_training,
    wait_for_form,
)
from tests.benchmarks.web_processes import running_server

Step = Callable[[Visitor], Awaitable[Answer]]
_numbers = itertools.count()


def _visitor(url: str, *, watches: bool = False) -> Visitor:
    """Return a visitor from an address of its own; the demo counts by address."""
    return Visitor(url, watches=watches, host=address_of(next(_numbers)))


class Click(NamedTuple):
    """One kind of click.

    Args:
        page: Where it happens.
        name: What is clicked.
        step: Does it.
    """

    page: str
    name: str
    step: Step


def _turn(kind: str, label: str) -> Step:
    """Return a step that gives a control its next state."""

    async def step(visitor: Visitor) -> Answer:
        control = _found(visitor, kind, label)
        held = visitor.states.get(control.id)
        states = list(control.choices)
        place = states.index(held) + 1 if held in states else 0
        return await visitor.set(control, states[place % len(states)])

    return step


def _found(visitor: Visitor, kind: str, label: str) -> Control:
    for control in visitor.controls.values():
        if control.kind == kind and label in control.label:
            return control
    known = sorted((c.kind, c.label) for c in visitor.controls.values())
    raise LookupError(f"no {kind} {label!r} among {known}")


def _type(label: str) -> Step:
    """Return a step that types another number into a text field."""
    numbers = itertools.count(100)

    async def step(visitor: Visitor) -> Answer:
        field = _found(visitor, "text_input", label).id
        state = WidgetState(id=field, string_value=str(next(numbers)))
        return await visitor.set(visitor.controls[field], state)

    return step


def _go(page: str) -> Step:
    async def step(visitor: Visitor) -> Answer:
        return await visitor.go(page)

    return step


CLICKS = (
    Click("lab", "field: seed", _type("Seed")),
    Click("lab", "slider: threshold", _turn("slider", "Threshold")),
    Click("lab", "tab", _turn("tab", "tab")),
    Click("lab", "preset", _turn("selectbox", "shipped")),
    Click("lab", "kind", _turn("button_group", "What is learned")),
    Click("lab", "page", _go("lab")),
    Click("start", "page", _go("start")),
    Click("start", "filter", _turn("button_group", "")),
    Click("claims", "page", _go("claims")),
    Click("claims", "tab", _turn("tab", "view")),
    Click("learn", "page", _go("learn")),
    Click("runs", "page", _go("runs")),
)


async def cost(
    server: psutil.Process, url: str, click: Click, times: int
) -> dict[str, float | str]:
    """Return what a click costs on average."""
    visitor = _visitor(url)
    await visitor.open(f"/{click.page}")
    for _ in range(2):
        await click.step(visitor)
    before = sum(server.cpu_times()[:2])
    answers = [await click.step(visitor) for _ in range(times)]
    used = sum(server.cpu_times()[:2]) - before
    await visitor.close()
    return _row(click.page, click.name, used, answers, visitor)


def _row(
    page: str, name: str, used: float, answers: list[Answer], visitor: Visitor
) -> dict[str, float | str]:
    times = len(answers)
    seconds = sorted(answer.seconds for answer in answers)
    return {
        "page": page,
        "click": name,
        "cpu_ms": round(1e3 * used / times, 1),
        "median_ms": round(1e3 * seconds[times // 2]),
        "socket_kB": round(sum(a.socket_bytes for a in answers) / times / 1e3, 1),
        "http_kB": round(sum(a.http_bytes for a in answers) / times / 1e3, 1),
        "errors": len(visitor.errors),
    }


async def load_cost(
    server: psutil.Process, url: str, page: str, times: int
) -> dict[str, float | str]:
    """Return what a first load costs on average."""
    visitors = [_visitor(url) for _ in range(times)]
    before = sum(server.cpu_times()[:2])
    answers = [await visitor.open(f"/{page}") for visitor in visitors]
    used = sum(server.cpu_times()[:2]) - before
    for visitor in visitors:
        await visitor.close()
    return _row(page or "start", "first load", used, answers, visitors[-1])


async def watch_cost(
    server: psutil.Process, url: str, run: str, watchers: int, seconds: float
) -> dict[str, float | str]:
    """Return what watching a training costs per visitor and poll."""
    visitors = [_visitor(url, watches=True) for _ in range(watchers)]
    for visitor in visitors:
        await visitor.open(f"/lab?run={run}")
    await asyncio.sleep(2)
    before, began = sum(server.cpu_times()[:2]), time.monotonic()
    polled = sum(len(visitor.polls) for visitor in visitors)
    received = sum(visitor.received for visitor in visitors)
    await asyncio.sleep(seconds)
    used = sum(server.cpu_times()[:2]) - before
    polls = sum(len(visitor.polls) for visitor in visitors) - polled
    received = sum(visitor.received for visitor in visitors) - received
    lasted = time.monotonic() - began
    for visitor in visitors:
        await visitor.close()
    return {
        "page": "lab",
        "click": f"poll of {watchers} watchers",
        "polls": polls,
        "cpu_ms": round(1e3 * used / max(1, polls), 1),
        "cores": round(used / lasted, 2),
        "socket_kB": round(received / max(1, polls) / 1e3, 1),
        "errors": sum(len(visitor.errors) for visitor in visitors),
    }


async def _measure(
    given: argparse.Namespace, server: psutil.Process, home: Path, url: str
) -> None:
    def show(row: dict[str, float | str]) -> None:
        print(json.dumps(row | {"load": os.getloadavg()[0]}), flush=True)  # noqa: T201

    await wait_for_form(url)
    for page in ("lab", "", "claims"):
        if given.only in ("", page or "start"):
            show(await load_cost(server, url, page, given.times))
    for click in CLICKS:
        if given.only in ("", click.page):
            try:
                show(await cost(server, url, click, given.times))
            except LookupError as error:
                show({"page": click.page, "click": click.name, "error": str(error)})
    if given.only in ("", "watch"):
        run = start_training(home)
        await asyncio.sleep(5)
        for watchers in (1, 10):
            show(await watch_cost(server, url, run, watchers, 10))


def main() -> None:
    """Measure, and print a line of JSON for each kind of click."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--times", type=int, default=20)
    asked.add_argument("--port", type=int, default=8622)
    asked.add_argument("--only", default="")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        with running_server(home, given.port) as server:
            url = f"http://127.0.0.1:{given.port}"
            asyncio.run(_measure(given, server, home, url))


if __name__ == "__main__":
    main()
