"""Tuning a baseline: choose the rate with the lowest loss on meta-training tasks.

All replicates share one rate.
"""

from collections.abc import Generator

import numpy as np

from engine.algorithms.optimization.training_loop import objective
from engine.catalogue import find_card
from engine.contract.events import Block, Event
from engine.contract.run_spec import (
    Budget,
    Choice,
    LearnerChoice,
    RunSpec,
    complete_spec,
)
from engine.protocol import BatchSpec, Meta, OptimizationBatch, Weights
from engine.runner.context import LearnerEntry, RunContext, draw_tasks
from engine.runner.rate_search import COARSE, RATES, search_rate, tuning_blocks

LIMITS = (-8.0, 4.0)  # log10 of rates


def tuning_spec(spec: RunSpec, choice: LearnerChoice) -> RunSpec:
    """Return the spec of the sub-run that tunes one baseline, without a meta-test.

    It depends only on the family, the base learner, the horizon and the seed, so all
    runs of that family share it.

    Args:
        spec: The run's completed spec.
        choice: The baseline.
    """
    # The preset rate does not affect the search, so it must not change the key.
    knobs = {name: value for name, value in choice.knobs.items() if name != "lr"}
    alone = LearnerChoice(
        name=choice.name,
        knobs=knobs | {"tuning": "tuned"},
        role="baseline",
    )
    sub = RunSpec(
        family=spec.family,
        net=spec.net,
        learners=(alone,),
        estimator=Choice(name="pes"),
        budget=Budget(
            task_evaluations=0,
            validation_tasks=1,
            test_tasks=0,
            horizon=spec.budget.horizon,
            tuning_tasks=tuning_tasks(spec.budget, choice),
        ),
        replicates=1,
        seed=spec.seed,
        device=spec.device,
    )
    return complete_spec(sub, find_card, spec.device)


def tuning_tasks(budget: Budget, choice: LearnerChoice) -> int:
    """Return on how many tasks each rate is tried.

    With an equal budget, the search may use as many task evaluations as meta-training.
    """
    if choice.knobs["tuning"] != "equal_budget":
        return budget.tuning_tasks
    return max(budget.tuning_tasks, budget.task_evaluations // RATES)


def tune_rate(
    context: RunContext, entry: LearnerEntry
) -> Generator[Event, None, Weights]:
    """Search for a baseline's learning rate.

    Args:
        context: The tuning sub-run.
        entry: The baseline.

    Yields:
        Notes and the tuning blocks.

    Returns:
        Meta-weights with the best rate: `lr` of shape (1,).
    """
    count = context.spec.budget.tuning_tasks
    place = BatchSpec(1, context.batch_spec.device, measure_held_out=False)
    streams = [context.rng.child("tune")]
    tasks = draw_tasks(context.setting, "train", streams, count, place)

    def score(power: float, share: float) -> Generator[Event, None, np.ndarray]:
        yield from ()  # makes it a generator; a single rate is quick
        return _score_rate(entry, tasks, 10.0**power)

    scores, best = yield from search_rate(
        f"tune {entry.label}", score, _mean, highest=COARSE[-1], limits=LIMITS
    )
    yield from tuning_blocks(entry.label, "tuning", scores, best)
    spent = float(len(scores) * count * tasks.horizon)
    yield Block(entry.label, "tune", "gradient_evaluations", (), np.array(spent))
    start = entry.learner.init([context.rng], tasks).weights
    return {"lr": start["lr"].new_full((1,), 10.0**best)}


def _mean(scores: np.ndarray) -> float:
    return float(scores.mean())


def _score_rate(
    entry: LearnerEntry, tasks: OptimizationBatch, rate: float
) -> np.ndarray:
    """Return each tuning task's log loss at one rate, mean over steps; (task,)."""
    learner = entry.learner
    start = tasks.start()
    meta = Meta({"lr": start.new_full((1,), rate)}, {})
    scores = []
    for first in range(0, tasks.members, tasks.chunk):
        index = range(first, min(first + tasks.chunk, tasks.members))
        total = 0.0
        for segment in learner.adapt(meta, tasks.take(index)):
            total = total + objective(segment.traces["loss"]).sum(1)
        # The loss before the first step is in the traces, too.
        scores.append(total / (tasks.horizon + 1))  # type: ignore[operator]
    return np.concatenate([score.cpu().numpy() for score in scores])
