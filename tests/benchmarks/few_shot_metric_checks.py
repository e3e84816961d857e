"""Metric learners and few-shot baselines on characters that they have not seen.

`python -m tests.benchmarks.few_shot_metric_checks NAME …`, or without a name for all;
with `--small` on 14 × 14 pixels with 32 filters, which takes a tenth of the time.
Omniglot, Vinyals' split, 28 × 28 pixels, 5 ways, 1 shot, 15 queries, 600 test
episodes, one replicate; Conv-4 with 64 filters. Needs the data pack.
"""

import sys
import time
from functools import cache
from typing import Any

import numpy as np
import torch

from engine.catalogue import find_card
from engine.contract.events import Block
from engine.contract.run_spec import RunSpec, complete_spec
from engine.runner.loop import run
from tests.in_memory_run_cache import InMemoryRunCache

LESSON: dict[str, Any] = {"train_ways": 20, "train_shots": 1, "train_queries": 5}
NET: dict[str, Any] = {"filters": 64}
SMALL = "--small"


def play(
    learner: dict[str, Any], episodes: int, family: dict[str, Any], **budget: int
) -> dict[str, np.ndarray]:
    """Train on some episodes and test; return the blocks of the test by metric."""
    spec = RunSpec.model_validate(
        {
            "family": {"name": "omniglot", "knobs": family},
            "net": {"name": "conv4", "knobs": NET},
            "learners": [learner],
            "budget": {
                "task_evaluations": episodes,
                "tasks_per_step": 1,
                "validation_tasks": 20,
                "validate_every": max(1, episodes // 2),
                "test_tasks": 600,
                "tuning_tasks": 20,
                "horizon": 1,
            }
            | budget,
            "replicates": 1,
        }
    )
    full = complete_spec(spec, find_card, "cpu")
    return {
        f"{event.phase} {event.metric}": event.array
        for event in run(full, InMemoryRunCache())
        if isinstance(event, Block) and event.phase in ("test", "tune", "train")
    }


def accuracy(
    learner: dict[str, Any], episodes: int, family: dict[str, Any], **budget: int
) -> float:
    """Return the accuracy in %, and print it with the papers' interval."""
    clock = time.perf_counter()
    found = play(learner, episodes, family, **budget)
    right = 100 * found["test final_accuracy"]
    around = 1.96 * right.std() / np.sqrt(right.size)
    spent = time.perf_counter() - clock
    words = f"{right.mean():.1f} ± {around:.1f} %, {episodes} episodes, {spent:.0f} s"
    print(f"{learner['name']} {learner.get('knobs', '')} {family}: {words}", flush=True)  # noqa: T201
    for name in ("tune tuned_lr", "tune tuned_steps"):
        if name in found:
            print(f"  {name}: {found[name].item():g}", flush=True)  # noqa: T201
    return float(right.mean())


@cache
def bar() -> float:
    """Return what prototypical networks reach with 300 episodes."""
    return accuracy({"name": "protonet"}, 300, LESSON)


def claim(words: str, holds: bool) -> bool:
    """Print whether a band holds."""
    print(f"{'holds' if holds else 'MISSED'}: {words}", flush=True)  # noqa: T201
    return holds


def protonet() -> bool:
    """Prototypes learn new characters from one example in a few minutes."""
    return claim("prototypical networks, 300 episodes, 5w1s ≥ 87 %", bar() >= 87)


def matching() -> bool:
    """Matching networks do in as many episodes."""
    found = accuracy({"name": "matching"}, 300, LESSON)
    return claim("matching networks, 5w1s ≥ 85 %", found >= 85)


def matching_pixels() -> bool:
    """The pixel-level version against nearest neighbors of raw pixels by cosine."""
    raw = {"name": "raw_neighbor", "knobs": {"measure": "cosine"}}
    one, five = accuracy(raw, 0, {}), accuracy(raw, 0, {"shots": 5})
    near = abs(one - 47.0) <= 2 and abs(five - 71.0) <= 2
    return claim("raw pixels within 2 of 47.0 (5w1s) and 71.0 (5w5s)", near)


def relation() -> bool:
    """A learned relation is within 2 points at twice the episodes."""
    found = accuracy({"name": "relation"}, 600, LESSON)
    return claim("relation networks ≥ prototypes − 2 points", found >= bar() - 2)


def r2d2() -> bool:
    """Ridge heads are within 2 points of prototypical networks."""
    found = accuracy({"name": "r2d2"}, 300, LESSON)
    return claim("R2-D2 ≥ prototypes − 2 points", found >= bar() - 2)


def baselines() -> bool:
    """What does not learn to learn, on the same lessons."""
    names = ("feature_neighbors", "linear_probe", "cosine_head")
    found = [accuracy({"name": name}, 300, LESSON) for name in names]
    return claim("pretrained features beat raw pixels (47 %)", min(found) > 47)


def from_scratch() -> bool:
    """The support alone gives 45 to 60 % (an estimate)."""
    few = {"test_tasks": 100, "tuning_tasks": 10, "validation_tasks": 2}
    knobs = {"steps": 20}
    found = accuracy({"name": "from_scratch", "knobs": knobs}, 0, {}, **few)
    return claim("from scratch, 5w1s in 45 to 60 %", 45 <= found <= 60)


CHECKS = {
    check.__name__: check
    for check in (
        protonet,
        matching,
        matching_pixels,
        relation,
        r2d2,
        baselines,
        from_scratch,
    )
}


def main(words: list[str]) -> bool:
    """Run the named checks, or all; say whether every band holds."""
    torch.set_num_threads(1)
    if SMALL in words:
        LESSON["side"], NET["filters"] = "14", 32
    chosen = [word for word in words if word != SMALL] or list(CHECKS)
    results = [CHECKS[name]() for name in chosen]  # each is run, whatever the last said
    return all(results)


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
