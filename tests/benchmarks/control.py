"""Does the controller control: four trainings from a rate ten times too small.

Each run is the default experiment but for its base rate, estimator and seed. From
0.03, steps to the threshold on held-out tasks are compared with SGD at 0.03; from
0.3, with tuned SGD. Differences are paired, with 95 % intervals over replicates.

`python -m tests.benchmarks.control [seed …]` prints a table; nothing is asserted.
"""

import sys
import time
from typing import NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from engine.catalogue import find_card
from engine.contract.events import Block
from engine.contract.run_spec import Choice, LearnerChoice, RunSpec, complete_spec
from engine.runner.loop import run
from engine.stats.inference.comparison import compare_over_replicates
from engine.stats.inference.intervals import Interval
from tests.in_memory_run_cache import InMemoryRunCache

TRAININGS = ("pes", "unroll", "policy_gradient", "ppo", "es")
RATES = (0.03, 0.3)
STEPS, AREA = "steps_to_threshold", "area"


class Found(NamedTuple):
    """What a run measured in distribution: (learner, metric) → (replicate, task)."""

    rows: dict[tuple[str, str], np.ndarray]
    seconds: float

    def gap(self, against: str, metric: str) -> Interval:
        """Return the controller's difference from a baseline."""
        mine, theirs = self.rows["lr_scale", metric], self.rows[against, metric]
        return compare_over_replicates(mine, theirs).mean_with_interval()


def spec_of(estimator: str, rate: float, seed: int) -> RunSpec:
    """Return the default experiment with one estimator, from one base rate."""
    learners = (
        LearnerChoice(name="lr_scale", label="lr_scale", knobs={"lr": rate}),
        LearnerChoice(name="sgd", label="sgd", role="baseline", knobs={"lr": rate}),
        LearnerChoice(
            name="sgd", label="tuned", role="baseline", knobs={"tuning": "tuned"}
        ),
    )
    spec = RunSpec(
        family=Choice(name="mixtures"),
        learners=learners,
        estimator=Choice(name=estimator),
        seed=seed,
    )
    return complete_spec(spec, find_card, "cpu")


def measured(spec: RunSpec, shelf: InMemoryRunCache) -> Found:
    """Play a run and keep what it measured on the test tasks."""
    clock, rows = time.perf_counter(), {}
    for event in run(spec, shelf):
        if isinstance(event, Block) and event.phase == "test":
            rows[event.learner, event.metric] = event.array
    return Found(rows, time.perf_counter() - clock)


def shown(gap: Interval) -> str:
    """Return a difference with its interval."""
    return f"{gap.mean:+.2f} [{gap.low:+.2f}, {gap.high:+.2f}]"


def row_of(name: str, rate: float, seed: int, found: Found) -> list[str]:
    """Return one line of the table."""
    scales = np.log(found.rows["lr_scale", "lr_scale"].astype(float))
    spread = np.nanquantile(scales, [0.05, 0.5, 0.95])
    gaps = [
        shown(found.gap(against, metric))
        for metric in (STEPS, AREA)
        for against in ("sgd", "tuned")
    ]
    quantiles = " ".join(f"{q:+.1f}" for q in spread)
    return [name, str(rate), str(seed), *gaps, quantiles, f"{found.seconds:.0f}"]


def main(seeds: list[int]) -> None:
    """Print a line for each training, base rate and seed."""
    torch.set_num_threads(1)
    cache = InMemoryRunCache()
    heads = ("training", "base rate", "seed", "steps − SGD's", "steps − tuned SGD's")
    more = ("area − SGD's", "area − tuned SGD's", "ln scale 5 50 95 %", "s")
    table = Table(*heads, *more)
    for seed in seeds:
        for rate in RATES:
            for name in TRAININGS:
                found = measured(spec_of(name, rate, seed), cache)
                table.add_row(*row_of(name, rate, seed, found))
    Console(width=200).print(table)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [7])
