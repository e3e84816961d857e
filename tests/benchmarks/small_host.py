"""Whether the demo computes the default experiment where memory is small.

    python -m tests.benchmarks.small_host [--mib 690] [--port 8631] [--minutes 15]
        [--preset NAME] [--free] [--rows]

A demo with a store of its own and one worker is started; one visitor opens the Lab,
starts the shipped experiment and watches it to its verdict. Printed are, as lines of
JSON, the most that each process and all of them together held of memory of their own
(without what belongs to files: the system drops that where it is short), and how the
run ended. Where a control group of version 1 can be made, the server starts in one with
the limit, so that the system itself refuses more; elsewhere, and with `--free`, memory
is only measured.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from engine.contract.jobs import JobState
from engine.store import Store
from tests.benchmarks.visitor_client import Visitor
from tests.benchmarks.visitors import MIB, wait_for_form
from tests.benchmarks.web_processes import running_server

GROUPS = Path("/sys/fs/cgroup/memory")
EVERY = 0.1  # seconds between two looks
ENDED = (JobState.DONE, JobState.DIVERGED, JobState.FAILED, JobState.CANCELLED)
ROLES = {
    "streamlit": "web",
    "supervise": "supervisor",
    "work": "worker",
    "check-specs": "check",
    "catalogue": "catalogue",
}


class OwnMemory(threading.Thread):
    """Looks at what all processes of a demo hold, and keeps the most.

    Args:
        home: Its store; its processes have the store in their environment.
    """

    def __init__(self, home: Path) -> None:
        super().__init__(daemon=True)
        self.home, self.is_over = home, threading.Event()
        self.rows: list[dict[str, float]] = []  # one a second
        self.most: dict[str, float] = {}
        self.at_most: dict[str, float] = {}  # what each held when all held the most
        self._known: dict[int, str] = {}

    def run(self) -> None:
        """Look until it is over."""
        began = time.monotonic()
        while not self.is_over.wait(EVERY):
            held: dict[str, float] = {}
            for role, size in self._processes():
                held[role] = held.get(role, 0.0) + size
            held["together"] = sum(held.values())
            second = float(int(time.monotonic() - began))
            if not self.rows or self.rows[-1]["second"] != second:
                self.rows.append({"second": second} | held)
            if held["together"] > self.most.get("together", 0.0):
                self.at_most = held
            for role, size in held.items():
                self.most[role] = max(size, self.most.get(role, 0.0))

    def _processes(self) -> Iterator[tuple[str, float]]:
        for pid in psutil.pids():
            with contextlib.suppress(psutil.Error, OSError):
                if pid not in self._known:
                    self._known[pid] = self._role(psutil.Process(pid))
                if role := self._known[pid]:
                    yield role, _own_memory(pid)

    def _role(self, process: psutil.Process) -> str:
        """Return what a process is for; empty if it is not of this demo."""
        if process.environ().get("METASCOPE_HOME") != str(self.home):
            return ""
        words = [word for word in process.cmdline() if word in ROLES]
        return ROLES[words[0]] if words else "others"


def _own_memory(pid: int) -> float:
    """Return the memory of a process that belongs to no file, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextlib.contextmanager
def limited_group(mib: int) -> Iterator[Path | None]:
    """Enter a control group with a limit; yield None where there can be none."""
    group, before = GROUPS / f"small-host-{os.getpid()}", os.getpid()
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(mib * MIB))
        (group / "cgroup.procs").write_text(str(before))
    except OSError:
        yield None
        return
    try:
        yield group
    finally:
        (GROUPS / "cgroup.procs").write_text(str(before))
        _remove(group)


def _remove(group: Path) -> None:
    for _ in range(100):  # until its last process has ended
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.1)


async def watch_run(url: str, home: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Start the experiment as a visitor, watch it, and return how it ended."""
    await wait_for_form(url)
    visitor = Visitor(url)
    await visitor.open(f"/lab?preset={given.preset}" if given.preset else "/lab")
    button = next(
        control
        for control in visitor.controls.values()
        if control.kind == "button" and control.id.endswith("run_button")
    )
    await visitor.set(button, button.choices[0])
    began, state, error = time.monotonic(), "", ""
    while time.monotonic() - began < 60 * given.minutes:
        await asyncio.sleep(2)
        if jobs := Store.open(home).jobs(limit=1):
            state, error = str(jobs[0].state), jobs[0].error
            if jobs[0].state in ENDED:
                break
    await asyncio.sleep(10)  # the visitor sees the verdict
    await visitor.close()
    return {
        "ended": state,
        "error": error,
        "seconds": round(time.monotonic() - began),
        "polls": len(visitor.polls),
        "visitor_errors": sorted(set(visitor.errors))[:5],
        "load": os.getloadavg()[0],
    }


def measure(given: argparse.Namespace, home: Path) -> bool:
    """Print what the processes held; return whether the run was computed within it."""
    memory = OwnMemory(home)
    with contextlib.ExitStack() as stack:
        # What this process holds belongs to the group in which it was allocated.
        limit = contextlib.nullcontext() if given.free else limited_group(given.mib)
        group = stack.enter_context(limit)
        stack.enter_context(running_server(home, given.port))
        if group is not None:
            (GROUPS / "cgroup.procs").write_text(str(os.getpid()))
        memory.start()
        told = asyncio.run(watch_run(f"http://127.0.0.1:{given.port}", home, given))
        memory.is_over.set()
        if group is not None:
            told["killed"] = (group / "memory.oom_control").read_text().split()[-1]
    for row in memory.rows if given.rows else ():
        _say({name: round(figure) for name, figure in row.items()})
    for name, held in (("most", memory.most), ("together", memory.at_most)):
        _say({"MiB": name} | {role: round(size) for role, size in held.items()})
    _say({"limit_MiB": given.mib, "is_enforced": group is not None} | told)
    return told["ended"] == JobState.DONE and memory.most["together"] <= given.mib


def _say(row: dict[str, Any]) -> None:
    print(json.dumps(row), flush=True)  # noqa: T201


def main() -> None:
    """Measure, and exit with 1 if the run did not end within the limit."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--mib", type=int, default=690)
    asked.add_argument("--port", type=int, default=8631)
    asked.add_argument("--minutes", type=float, default=15)
    asked.add_argument("--preset", default="")
    asked.add_argument("--free", action="store_true")
    asked.add_argument("--rows", action="store_true", help="print each second")
    given = asked.parse_args()
    os.environ |= {"METASCOPE_MODE": "demo", "METASCOPE_WORKERS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(0 if measure(given, Path(folder) / "home") else 1)


if __name__ == "__main__":
    main()
