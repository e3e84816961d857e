"""CPU seconds of a run on a local Ray cluster, against the same run on local workers.

`python -m tests.benchmarks.ray_overhead --jobs 8` with a Python that has Ray. The run
has one batch of replicates per worker, so that all but the first are shards. Counted
is everything that the command starts, Ray's own processes and all imports included.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from rich.console import Console

from engine.contract.replicate_batches import MOST_AT_ONCE

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_INTERVAL = 0.2  # seconds, which a process that ends may lose
SPEC = {
    "family": {"name": "mixtures"},
    "learners": [
        {"name": "lr_scale"},
        {"name": "sgd", "role": "baseline"},
    ],
    "seed": 3,
}


def write_spec(folder: Path, batches: int, evaluations: int) -> Path:
    """Write a spec of that many full batches without a look, and return its path."""
    budget = {
        "task_evaluations": evaluations,
        "validate_every": 20,
        "tasks_per_step": 4,
        "test_tasks": 8,
    }
    body = {**SPEC, "budget": budget, "replicates": MOST_AT_ONCE * batches}
    path = folder / "spec.json"
    path.write_text(json.dumps(body))
    return path


def measure_command(words: list[str]) -> tuple[float, float]:
    """Run a command of the engine.

    Args:
        words: Its words.

    Returns:
        CPU seconds of all its processes, and seconds of wall-clock time.

    Raises:
        RuntimeError: If it fails.
    """
    begun = time.monotonic()
    started = subprocess.Popen([sys.executable, "-m", "engine", *words], cwd=ROOT)
    spent: dict[tuple[int, float], float] = {}
    while started.poll() is None:
        for each in _family(started.pid):
            times = each.cpu_times()
            spent[each.pid, each.create_time()] = times.user + times.system
        time.sleep(SAMPLE_INTERVAL)
    if started.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {started.returncode}")
    return sum(spent.values()), time.monotonic() - begun


def _family(pid: int) -> list[psutil.Process]:
    """Return a process and all that it and its children have started."""
    try:
        parent = psutil.Process(pid)
        found = [parent, *parent.children(recursive=True)]
        return [each for each in found if each.status() != psutil.STATUS_ZOMBIE]
    except psutil.NoSuchProcess:
        return []


def main() -> None:
    """Print both costs and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--evaluations", type=int, default=80)
    parser.add_argument("--on", nargs="+", default=["local", "ray"])
    given = parser.parse_args()
    out, cost = Console(), dict[str, float]()
    with tempfile.TemporaryDirectory() as folder:
        spec = write_spec(Path(folder), given.jobs, given.evaluations)
        for place in given.on:
            words = ["run", str(spec), "--out", f"{folder}/{place}", "--on", place]
            cost[place], wall = measure_command([*words, "--jobs", str(given.jobs)])
            out.print(f"{place}: {cost[place]:.1f} CPU s, {wall:.1f} s")
        same = [Path(folder, place, "metrics.csv").read_bytes() for place in cost]
    out.print(
        f"ratio {cost['ray'] / cost['local']:.3f}; same rows: {same[0] == same[1]}"
    )


if __name__ == "__main__":
    main()
