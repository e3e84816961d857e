"""What one attacker takes from a visitor of the demo.

    python -m tests.benchmarks.attacker [--seconds 60] [--port 8615] [--local]

A demo with a store of its own is started. A visitor clicks, a second after each answer:
first alone, then beside an attacker from another address, a process of its own at the
lowest priority, which at the same time
- keeps 500 sockets open, and asks for the Lab through each again and again,
- uploads 20 files of 20 MiB, over and over,
- sends links of 1 MB, in requests and through its sockets,
- submits 1,000 runs through one socket.
Printed are the visitor's seconds per click and the web server's memory. With --local
the limits are off, for comparison: the same, without METASCOPE_MODE=demo.
"""

import argparse
import asyncio
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.benchmarks.visitor_client import Visitor
from tests.benchmarks.visitor_controls import Control, control_in
from tests.benchmarks.visitors import (
    MIB,
    PAGES,
    Log,
    at,
    visit,
    wait_for_form,
)
from tests.benchmarks.web_processes import running_server

SOCKETS, UPLOADS, SUBMISSIONS = 500, 20, 1000
UPLOAD, LINK = 20 * MIB, 10**6
ATTACKER = {"X-Forwarded-For": "203.0.113.6"}


def main() -> None:
    """Measure, and print a line of JSON for each row."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--port", type=int, default=8615)
    asked.add_argument("--local", action="store_true")
    asked.add_argument("--attack", default="", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.attack:
        asyncio.run(Attack(given.attack).run(given.seconds))
        return
    # The visitor opens the form anew until it is there.
    os.environ["METASCOPE_DEMO_VISITORS_PER_HOUR"] = "1000"
    os.environ["METASCOPE_MODE"] = "local" if given.local else "demo"
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(given, Path(folder) / "home"):
            print(json.dumps(row), flush=True)  # noqa: T201


def measure(given: argparse.Namespace, home: Path) -> list[dict[str, Any]]:
    """Return a row for the visitor alone and one beside the attacker."""
    url = f"http://127.0.0.1:{given.port}"
    rows = []
    with running_server(home, given.port) as server:
        asyncio.run(wait_for_form(url))
        asyncio.run(_open_all(url))
        command = [sys.executable, "-m", "tests.benchmarks.attacker"]
        command += ["--attack", url, "--seconds", str(given.seconds + 5)]
        for is_attacked in (False, True):
            attack = None
            if is_attacked:
                attack = subprocess.Popen(["nice", "-n", "19", *command])
                time.sleep(3)  # its sockets open first
            with Memory(server) as memory:
                log = Log()
                until = time.monotonic() + given.seconds
                asyncio.run(visit(Visitor(url), "/lab", log, until, 1.0))
            if attack is not None:
                attack.wait()
            rows.append(_row(log, memory) | {"attacked": is_attacked})
            rows += [{"error": text} for text in sorted(set(log.errors))[:5]]
    text = (home.parent / "server.log").read_text(encoding="utf-8")
    counted = Counter(line for line in text.splitlines() if '"error"' in line)
    return [*rows, *({"log": line, "times": n} for line, n in counted.items())]


async def _open_all(url: str) -> None:
    """Open each page once: what it imports and keeps is no attacker's doing."""
    visitor = Visitor(url, watches=False)
    await visitor.open("/")
    for page in PAGES[1:]:
        await visitor.go(page)
    await visitor.close()


def _row(log: Log, memory: "Memory") -> dict[str, Any]:
    seconds = [click.seconds for clicks in log.clicks.values() for click in clicks]
    return {
        "clicks": len(seconds),
        "p50_s": at(seconds, 0.5),
        "p95_s": at(seconds, 0.95),
        "max_s": at(seconds, 1),
        "slowest": max(
            (
                (click.seconds, name)
                for name, all_ in log.clicks.items()
                for click in all_
            ),
            default=None,
        ),
        "first_load_s": at([load.seconds for load in log.loads], 1),
        "errors": len(log.errors),
        "web_MiB": round(memory.first / MIB),
        "web_peak_MiB": round(memory.peak / MIB),
        "load": os.getloadavg()[0],
    }


class Memory:
    """The memory of a process over some time, in bytes."""

    def __init__(self, process: psutil.Process) -> None:
        self.process, self.has_ended = process, threading.Event()
        self.first = self.peak = process.memory_info().rss
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.has_ended.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.has_ended.wait(0.2):
            self.peak = max(self.peak, self.process.memory_info().rss)


class Attack:
    """Everything at the same time, from one address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.told = Counter[str]()
        self.sessions: list[str] = []

    async def run(self, seconds: float) -> None:
        """Attack for some seconds, then print what came of it."""
        tasks = [asyncio.create_task(self._hold_socket(n)) for n in range(SOCKETS)]
        tasks += [asyncio.create_task(self._upload()) for _ in range(UPLOADS)]
        tasks += [asyncio.create_task(self._send_links())]
        tasks += [asyncio.create_task(self._submit())]
        await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        print(json.dumps({"attack": dict(self.told)}), flush=True)  # noqa: T201

    def _connect(self) -> connect:
        visitor = os.urandom(16).hex()
        return connect(
            self.url.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers=ATTACKER | {"Cookie": f"metascope_visitor={visitor}"},
            max_size=None,
            compression=None,
        )

    async def _hold_socket(self, number: int) -> None:
        asked = BackMsg()
        asked.rerun_script.page_name = "lab"
        if number % 10 == 0:
            asked.rerun_script.query_string = "x=" + "A" * LINK
        payload = asked.SerializeToString()
        while True:
            try:
                async with self._connect() as socket:
                    self.told["sockets opened"] += 1
                    reading = asyncio.create_task(self._read(socket))
                    while not reading.done():
                        await socket.send(payload)
                        self.told["reruns asked"] += 1
                        await asyncio.sleep(0.1)
            except (OSError, WebSocketException, TimeoutError):
                self.told["sockets refused or closed"] += 1
            await asyncio.sleep(0.5)

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for received in socket:
                if len(received) < 50_000:  # parsing more would take its own time
                    message = ForwardMsg.FromString(received)  # type: ignore[arg-type]
                    if message.WhichOneof("type") == "new_session":
                        session = message.new_session.initialize.session_id
                        self.sessions.append(session)
        except WebSocketException:
            self.told["sockets lost"] += 1

    async def _upload(self) -> None:
        while True:
            while not self.sessions:
                await asyncio.sleep(0.1)
            status = await asyncio.to_thread(self._put_file, self.sessions[-1])
            self.told[f"uploads {status}"] += 1
            await asyncio.sleep(0.2)

    def _put_file(self, session: str) -> str:
        part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
        body = part + bytes(UPLOAD) + b"\r\n--b--\r\n"
        return self._request(
            "PUT",
            f"/_stcore/upload_file/{session}/{os.urandom(8).hex()}",
            body,
            {"Content-Type": "multipart/form-data; boundary=b"} | self._xsrf(),
        )

    def _xsrf(self) -> dict[str, str]:
        """Return the token that Streamlit wants; it gives one to everybody."""
        asked = urllib.request.Request(f"{self.url}/_stcore/host-config")
        with urllib.request.urlopen(asked, timeout=30) as answer:
            cookie = str(answer.headers.get("Set-Cookie", "")).partition(";")[0]
        token = cookie.partition("=")[2]
        return {"Cookie": cookie, "X-Xsrftoken": token} if token else {}

    async def _send_links(self) -> None:
        while True:
            status = await asyncio.to_thread(
                self._request, "GET", "/lab?x=" + "A" * LINK, None, {}
            )
            self.told[f"links {status}"] += 1
            await asyncio.sleep(0.1)

    def _request(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> str:
        line = http.client.HTTPConnection(self.url.partition("://")[2], timeout=30)
        try:
            line.request(method, path, body, ATTACKER | headers)
            return str(line.getresponse().status)
        except OSError as error:
            return type(error).__name__
        finally:
            line.close()

    async def _submit(self) -> None:
        """Press Run 1,000 times, each time with other numbers in the form."""
        async with self._connect() as socket:
            asked = BackMsg()
            asked.rerun_script.page_name = "lab"
            await socket.send(asked.SerializeToString())
            controls = await _read_controls(socket)
            asked.rerun_script.widget_states.widgets.extend(
                control.choices[0] for control in controls if control.choices
            )
            reading = asyncio.create_task(self._read(socket))
            for _ in range(SUBMISSIONS):
                for state in asked.rerun_script.widget_states.widgets:
                    if state.WhichOneof("value") == "double_value":
                        state.double_value += 1
                await socket.send(asked.SerializeToString())
                self.told["runs submitted"] += 1
            await reading


async def _read_controls(socket: ClientConnection) -> list[Control]:
    """Return the numbers and the Run buttons of a page, once all of it has come."""
    found = dict[str, Control]()
    async for received in socket:
        message = ForwardMsg.FromString(received)  # type: ignore[arg-type]
        if message.WhichOneof("type") == "script_finished":
            break
        control = control_in(message.delta)
        if control and (control.kind == "number_input" or "Run" in control.label):
            found[control.id] = control
    return list(found.values())


if __name__ == "__main__":
    main()
