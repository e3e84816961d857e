"""Warm start from CIFAR-10 to CIFAR-100 on NAS-Bench-201, with its controls.

    python -m tests.benchmarks.knowledge_checks

Each training searches CIFAR-10 at random, 8 times 100 cells; the tests are searches of
CIFAR-100 by its validation accuracy after 12 epochs, the same for all strategies.
"""

import json
import sys
from typing import Any

import numpy as np

from engine.catalogue import find_card
from engine.contract.events import Block
from engine.contract.run_spec import RunSpec, complete_spec
from engine.runner.loop import run
from engine.stats.inference.comparison import compare_over_replicates
from tests.in_memory_run_cache import InMemoryRunCache

Rows = dict[tuple[str, str], np.ndarray]
PLAIN = "regularized_evolution"
LEARNERS: list[dict[str, Any]] = [
    {"name": "warm_evolution", "label": "warm"},
    {"name": "warm_evolution", "label": "shuffled", "knobs": {"shuffled": True}},
    {"name": "warm_evolution", "label": "gated", "knobs": {"gate": 0.5}},
    {"name": PLAIN, "role": "baseline"},
]


def spec_of(
    learners: list[dict[str, Any]], replicates: int, searches: int, goal: float = 0.01
) -> RunSpec:
    """Return the run: from CIFAR-10 to CIFAR-100, counts alone being limited."""
    knobs = {"target": "CIFAR-100", "source": "CIFAR-10", "seconds": 0.0, "goal": goal}
    budget = {
        "task_evaluations": 8,
        "tasks_per_step": 4,
        "validation_tasks": 2,
        "validate_every": 1000,
        "test_tasks": searches,
        "horizon": 100,
    }
    body = {
        "family": {"name": "nasbench201", "knobs": knobs},
        "learners": learners,
        "budget": budget,
        "replicates": replicates,
    }
    return complete_spec(RunSpec.model_validate(body), find_card, "cpu")


def rows_of(spec: RunSpec) -> Rows:
    """Return the test numbers of each search by learner and metric."""
    return {
        (event.learner, event.metric): event.array
        for event in run(spec, InMemoryRunCache())
        if isinstance(event, Block) and event.phase == "test"
    }


def table(rows: Rows, labels: list[str]) -> dict[str, Any]:
    """Return means, and differences from plain evolution with 95 % intervals."""
    told: dict[str, Any] = {}
    for label in labels:
        told[label] = {}
        for metric in ("evaluations_to_goal", "reached", "regret_area", "final_regret"):
            mine, plain = rows[label, metric], rows[PLAIN, metric]
            gap = compare_over_replicates(mine, plain).mean_with_interval()
            numbers = (float(mine.mean()), gap.mean, gap.low, gap.high)
            told[label][metric] = [round(x, 4) for x in numbers]
    return told


if __name__ == "__main__":
    words = [float(word) for word in sys.argv[1:]] or [8, 60, 0.01]
    replicates, searches, goal = int(words[0]), int(words[1]), words[2]
    found = rows_of(spec_of(LEARNERS, replicates, searches, goal))
    labels = [each.get("label", each["name"]) for each in LEARNERS]
    sys.stdout.write(json.dumps(table(found, labels), indent=1) + "\n")
