"""Every task of Mosaic searched with what was learned on the others; none is chosen.

Each strategy is trained on the other tasks (the same source searches for all), then
searches the one left out. The figure is evaluations until the best so far is among the
best hundredth, as a restricted mean: a search that never got there counts with its
horizon. The ratio is over regularized evolution's, with a 95 % interval by paired
bootstrap over trainings × searches.

    python -m tests.benchmarks.mosaic_leave_one_out [--tasks 14] [--searches 50]
"""

import argparse
import time
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.table import Table

from engine.catalogue import find_card
from engine.contract.events import Block
from engine.contract.run_spec import RunSpec, complete_spec
from engine.runner.loop import run
from engine.tasks.search.mosaic import TaskName
from tests.in_memory_run_cache import InMemoryRunCache

REFERENCE = "regularized_evolution"
FIXED = ("random_search", REFERENCE, "predictor_search")
LEARNED = (
    "warm_evolution",
    "prior_search",
    "meta_predictor",
    "meta_policy",
    "tuned_evolution",
)
ORDERS = ("uniform", "easy first", "hard first", "competence")
Learner = dict[str, Any]


def main() -> None:
    """Print the table, and the mean over tasks below it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=len(get_args(TaskName)))
    parser.add_argument("--searches", type=int, default=50)
    parser.add_argument("--trainings", type=int, default=5)
    parser.add_argument("--horizon", type=int, default=150)
    parser.add_argument("--sources", type=int, default=56, help="source searches")
    parser.add_argument("--curricula", action="store_true")
    given = parser.parse_args()
    learners, rival = ordered() if given.curricula else everyone()
    labels = [str(learner["label"]) for learner in learners]
    shown = Table("task", *labels, box=None)
    ratios: list[list[float]] = []
    console = Console(width=200)
    for target in get_args(TaskName)[: given.tasks]:
        clock = time.perf_counter()
        found = searched(target, learners, given)
        shown.add_row(target, *(told(found, name, rival) for name in labels))
        ratios.append([ratio(found, name, rival)[0] for name in labels])
        console.print(f"{target}: {time.perf_counter() - clock:.0f} s")
    middle = np.exp(np.log(ratios).mean(0))
    shown.add_row("geometric mean", *(f"× {value:.2f}" for value in middle))
    console.print(shown)


def everyone() -> tuple[list[Learner], str]:
    """Return every strategy, and which they are held against."""
    names = (*FIXED, *LEARNED)
    return [{"name": name, "label": name} for name in names], REFERENCE


def ordered() -> tuple[list[Learner], str]:
    """Return the meta-policy in each order of its source tasks."""
    made = [
        {"name": "meta_policy", "label": order, "knobs": {"curriculum": order}}
        for order in ORDERS
    ]
    return made, ORDERS[0]


def searched(
    target: str, learners: Sequence[Learner], given: argparse.Namespace
) -> dict[str, Float[np.ndarray, "training search"]]:
    """Return each learner's evaluations to the goal; shape (training, search)."""
    body: dict[str, Any] = {
        "family": {"name": "mosaic", "knobs": {"target": target}},
        "learners": list(learners),
        "replicates": given.trainings,
        "budget": {
            "task_evaluations": given.sources,
            "horizon": given.horizon,
            "test_tasks": given.searches,
        },
        "seed": 11,
    }
    spec = complete_spec(RunSpec.model_validate(body), find_card, "cpu")
    return {
        event.learner: event.array
        for event in run(spec, InMemoryRunCache())
        if isinstance(event, Block) and event.metric == "evaluations_to_goal"
    }


def told(
    found: dict[str, Float[np.ndarray, "training search"]], name: str, rival: str
) -> str:
    """Write a learner's mean, and its ratio to the rival's with its interval."""
    mean = f"{found[name].mean():.0f}"
    if name == rival:
        return mean
    middle, low, high = ratio(found, name, rival)
    return f"{mean} × {middle:.2f} [{low:.2f}, {high:.2f}]"


def ratio(
    found: dict[str, Float[np.ndarray, "training search"]], name: str, rival: str
) -> tuple[float, float, float]:
    """Return the ratio of restricted means, with its interval.

    Trainings are drawn anew first, then searches within each: what a fixed strategy
    gives does not depend on the training, and its searches are paired all the same.
    """
    draw = np.random.Generator(np.random.Philox(5))
    mine, other = found[name], found[rival]
    trainings, searches = mine.shape
    rows = draw.integers(trainings, size=(2000, trainings, 1))
    columns = draw.integers(searches, size=(2000, trainings, searches))
    means = [each[rows, columns].mean((1, 2)) for each in (mine, other)]
    low, high = np.quantile(means[0] / means[1], [0.025, 0.975])
    return float(mine.mean() / other.mean()), float(low), float(high)


if __name__ == "__main__":
    main()
