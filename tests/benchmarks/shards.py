"""What shards bring: two against one on two cores, and what eight cost.

`python -m tests.benchmarks.shards` prints wall and CPU seconds, both sides in one run;
nothing here is asserted. It wants an idle machine.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from engine.presets import preset, spec_as_json

ROUNDS = 3


class Cost(NamedTuple):
    """What a command took, with all processes that it started."""

    wall: float
    cpu: float


def take_time(spec: dict[str, Any], jobs: int) -> Cost:
    """Run a spec in a fresh process and return what it took, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.json"
        path.write_text(json.dumps(spec))
        words = [sys.executable, "-m", "engine", "run", str(path)]
        words += ["--out", f"{folder}/out", "--jobs", str(jobs)]
        before, clock = os.times(), time.perf_counter()
        subprocess.run(words, check=True, capture_output=True)
        after, wall = os.times(), time.perf_counter() - clock
    cpu = after.children_user - before.children_user
    return Cost(wall, cpu + after.children_system - before.children_system)


def until_decided() -> dict[str, Any]:
    """Return the default experiment, which ends once it is decided."""
    return spec_as_json(preset("default").spec)


def many_replicates() -> dict[str, Any]:
    """Return a fixed run of eight batches of 64 replicates, each of a few seconds."""
    spec = until_decided()
    spec["budget"] |= {"task_evaluations": 208, "test_tasks": 4, "tuning_tasks": 8}
    return spec | {"replicates": 512, "looks": []}


def main() -> None:
    """Print both comparisons, the median of some interleaved rounds."""
    table = Table(title="Shards")
    for name in ("experiment", "shards", "wall s", "CPU s"):
        table.add_column(name)
    for title, spec, sides in (
        ("default, until decided", until_decided(), (1, 2)),
        ("512 replicates", many_replicates(), (1, 8)),
    ):
        found: dict[int, list[Cost]] = {jobs: [] for jobs in sides}
        for _ in range(ROUNDS):
            for jobs in sides:
                found[jobs].append(take_time(spec, jobs))
        for jobs, costs in found.items():
            median = sorted(costs)[len(costs) // 2]
            table.add_row(title, str(jobs), f"{median.wall:.1f}", f"{median.cpu:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
