"""How the demo lasts: memory, descriptors, files and store under visitors for hours.

    python -m tests.benchmarks.soak [--minutes 60] [--visitors 20] [--stay 240]
        [--think 3] [--runners 0.3] [--every 30] [--port 8651]

A demo with a store of its own is started. Each visitor loads a page, clicks on what is
there, leaves after a while, and another browser comes from the same address; some press
Run first. Every half minute a line of JSON tells the memory and the open descriptors of
the web server, the supervisor and its workers, the files and bytes of the store, and
the files in the folder for temporary ones. At the end: the slope of each by least
squares over the last two thirds; then all workspaces are emptied and all results that
nobody has are deleted, and what the store has beyond its first sample is listed.
The limits are those of the environment, such as METASCOPE_DEMO_STORE_MIB.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from app.share_links import pack
from engine.store import Store, repair
from engine.store.eviction import disk_usage, evict
from engine.store.idle_workspaces import empty_idle, workspace_folders
from engine.store.workspaces import WorkspaceStore
from tests.benchmarks.soak_samples import Samples, files_below, say, slopes
from tests.benchmarks.visitor_client import Visitor
from tests.benchmarks.visitors import (
    FIRST,
    LOWER,
    MIB,
    Log,
    address_of,
    at,
    click_until,
    visit,
    wait_for_form,
)
from tests.benchmarks.web_processes import running_server
from tests.laws.small import spec_of

BOUND = 10.0  # percent per hour by which memory may grow
MEMORY = ("web_MiB", "supervisor_MiB", "MiB_per_worker")
LASTING = {"share-secret"}  # what the first visitor to share a run makes, for good
SAME = 0.25  # share of runs that somebody else has asked for before


async def come_and_go(given: argparse.Namespace, number: int, log: Log) -> int:
    """Be one browser after another, from one address; return how many runs it asked."""
    draw, runs = random.Random(number), 0
    url, end = f"http://127.0.0.1:{given.port}", time.monotonic() + 60 * given.minutes
    await asyncio.sleep(given.stay * number / given.visitors)
    while time.monotonic() + given.think < end:
        visitor = Visitor(url, host=address_of(number))
        until = min(end, time.monotonic() + given.stay * draw.uniform(0.5, 1.5))
        if draw.random() < given.runners:
            runs += await start_run(visitor, log, draw)
            await click_until(visitor, log, until, given.think)
        else:
            path = f"/{draw.choice(FIRST)}".replace("/start", "/")
            await visit(visitor, path, log, until, given.think)
    return runs


async def start_run(visitor: Visitor, log: Log, draw: random.Random) -> bool:
    """Open the link of a short experiment and press Run; return whether it was there.

    Args:
        visitor: Whose page is not open yet.
        log: Where the load is noted.
        draw: Draws the seed of the experiment.
    """
    seed = 1 if draw.random() < SAME else draw.randrange(2, 10**6)
    log.loads.append(await visitor.open(f"/lab?x={pack(spec_of(seed=seed))}"))
    for control in list(visitor.controls.values()):
        if control.kind == "button" and control.id.endswith("run_button"):
            log.clicks["lab: run"].append(
                await visitor.set(control, control.choices[0])
            )
            return True
    return False


async def soak(given: argparse.Namespace) -> tuple[Log, int]:
    """Let all visitors come and go; return what they saw, and how many runs began."""
    log = Log()
    numbers = range(given.visitors)
    asked = await asyncio.gather(*(come_and_go(given, n, log) for n in numbers))
    return log, sum(asked)


def what_stays(home: Path, before: set[str], scratch: Path) -> dict[str, Any]:
    """Check all stores, empty them, and return what they still have; none is in use."""
    store = Store.open(home)
    rooms = [WorkspaceStore(store, path.name) for path in workspace_folders(home)]
    damaged = sum(len(each.check()) for each in (store, *rooms))
    orphans = sum(repair.tidy(each.index) for each in (store, *rooms))
    emptied = empty_idle(store, -1)
    deleted = len(evict(store, 0, ()))
    repair.tidy(store.index)
    left = sorted(files_below(home) - before - LASTING)
    return {
        "damaged_runs": damaged,
        "orphan_files": orphans,
        "workspaces_emptied": emptied,
        "runs_deleted": deleted,
        "files_left": len(left),
        "such_as": left[:10],
        "temporary_files_left": sorted(files_below(scratch))[:10],
        "store_MiB": round(disk_usage(home) / MIB, 2),
    }


def main() -> None:
    """Soak, and print a line of JSON for each sample, then the slopes and the rest."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument("--visitors", type=int, default=20)
    asked.add_argument("--stay", type=float, default=240)
    asked.add_argument("--think", type=float, default=3)
    asked.add_argument("--runners", type=float, default=0.3)
    asked.add_argument("--every", type=float, default=30)
    asked.add_argument("--port", type=int, default=8651)
    given = asked.parse_args()
    # The visitor opens the form anew until it is there.
    os.environ.setdefault("METASCOPE_DEMO_VISITORS_PER_HOUR", "1000")
    os.environ["METASCOPE_MODE"] = "demo"
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(0 if measure(given, Path(folder)) else 1)


def measure(given: argparse.Namespace, folder: Path) -> bool:
    """Print all rows; return whether the bounds held."""
    home, scratch = folder / "home", folder / "tmp"
    scratch.mkdir()
    os.environ["TMPDIR"] = str(scratch)  # for all processes that are started
    with running_server(home, given.port) as server:
        os.nice(LOWER)
        asyncio.run(wait_for_form(f"http://127.0.0.1:{given.port}"))
        before = files_below(home)
        with Samples(server, home, scratch, given.every) as samples:
            log, runs = asyncio.run(soak(given))
    found = list(slopes(samples.rows))
    for row in found:
        say(row)
    seconds = [click.seconds for clicks in log.clicks.values() for click in clicks]
    say({"loads": len(log.loads), "clicks": len(seconds), "p95_s": at(seconds, 0.95)})
    say({"runs_asked": runs, "errors": len(log.errors)})
    for text in sorted(set(log.errors))[:10]:
        say({"error": text[:300], "times": log.errors.count(text)})
    told = (folder / "server.log").read_text(encoding="utf-8").splitlines()
    lines = Counter(line[line.find('"level"') :] for line in told if '"error"' in line)
    for line, times in lines.most_common(10):
        say({"log": line[:400], "times": times})
    rest = what_stays(home, before, scratch)
    say(rest)
    memory = [row for row in found if row["figure"] in MEMORY]
    growth = max(row["percent_per_hour"] or 0.0 for row in memory)
    is_clean = not (rest["damaged_runs"] or rest["orphan_files"] or rest["files_left"])
    say({"memory_percent_per_hour": growth, "held": growth < BOUND and is_clean})
    return growth < BOUND and is_clean


if __name__ == "__main__":
    main()
