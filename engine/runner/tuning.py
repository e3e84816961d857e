"""Tuning a baseline: the rate that does best on pooled meta-training tasks.

Two stages: half decades first, then eighths of a decade around the best. Three
points per decade straddle the stability cliff and fake a win for whatever is
compared, so the grid is fine where it matters. One rate serves all replicates.
"""

from collections.abc import Iterator

import numpy as np

from engine.algorithms.optimization.training_loop import objective
from engine.catalogue import cards
from engine.contract.blocks import Block, Note
from engine.contract.runs import (
    Budget,
    Choice,
    LearnerChoice,
    RunSpec,
    complete_spec,
)
from engine.protocol import Landscapes, Meta, Place, Weights
from engine.runner.context import Bench, Entrant, draw_tasks

COARSE = tuple(i / 2 for i in range(-8, 4))
FINE = tuple(i / 8 for i in range(-3, 4) if i)
LIMITS = (-8.0, 4.0)
RATES = len(COARSE) + len(FINE)


def tuning_spec(spec: RunSpec, choice: LearnerChoice) -> RunSpec:
    """Return the sub-run that tunes one baseline: it trains and tests nothing.

    It depends on the family, the base learner, the horizon and the seed alone,
    so every run of that family shares it.
    """
    budget = spec.budget
    tasks = budget.tuning_tasks
    if choice.knobs["tuning"] == "equal_budget":
        tasks = max(tasks, budget.task_evaluations // RATES)
    # The rate that is given does not matter to the one that is looked for.
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
            horizon=budget.horizon,
            tuning_tasks=tasks,
        ),
        replicates=1,
        seed=spec.seed,
        device=spec.device,
    )
    return complete_spec(sub, cards, spec.device)


def search(bench: Bench, entrant: Entrant) -> Iterator[Note | Block | Weights]:
    """Try rates; yield notes, then the tuning blocks, then the meta-weights."""
    count = bench.spec.budget.tuning_tasks
    place = Place(1, bench.place.device, held=False)
    streams = [bench.rng.child("tune")]
    tasks = draw_tasks(bench.setting, "train", streams, count, place)
    scores: dict[float, np.ndarray] = {}
    for power in _candidates(scores):
        scores[power] = _score(entrant, tasks, 10.0**power)
        yield Note(f"tune {entrant.label}", len(scores) / RATES, f"{10**power:.3g}")
    best = _best(scores)
    yield from _blocks(entrant, scores, best, tasks)
    learner = entrant.learner
    start = learner.init([bench.rng], tasks).weights
    yield {"lr": start["lr"].new_full((1,), 10.0**best)}


def _candidates(scores: dict[float, np.ndarray]) -> Iterator[float]:
    """Yield log10 rates, looking at the scores so far for where to go on."""
    yield from COARSE
    while (best := _best(scores)) in (min(scores), max(scores)):
        further = best + (0.5 if best == max(scores) else -0.5)
        if not LIMITS[0] <= further <= LIMITS[1]:
            break
        yield further
    for offset in FINE:
        yield best + offset


def _best(scores: dict[float, np.ndarray]) -> float:
    return min(scores, key=lambda power: float(scores[power].mean()))


def _score(entrant: Entrant, tasks: Landscapes, rate: float) -> np.ndarray:
    """Return the mean log loss of every tuning task at one rate."""
    learner = entrant.learner
    start = tasks.start()
    meta = Meta({"lr": start.new_full((1,), rate)}, {})
    scores = []
    for first in range(0, tasks.members, tasks.chunk):
        index = range(first, min(first + tasks.chunk, tasks.members))
        total = 0.0
        for stretch in learner.adapt(meta, tasks.take(index)):
            total = total + objective(stretch.traces["loss"]).sum(1)
        scores.append(total / (tasks.horizon + 1))  # type: ignore[operator]
    return np.concatenate([score.cpu().numpy() for score in scores])


def _blocks(
    entrant: Entrant, scores: dict[float, np.ndarray], best: float, tasks: Landscapes
) -> Iterator[Block]:
    powers = sorted(scores)
    rates = tuple(float(10.0**power) for power in powers)
    curve = np.stack([scores[power] for power in powers])
    label, phase = entrant.label, "tune"
    yield Block(label, phase, "tuning", ("rate", "task"), curve, coords={"rate": rates})
    yield Block(label, phase, "tuned_lr", (), np.array(10.0**best))
    spent = float(curve.size * tasks.horizon)
    yield Block(label, phase, "gradient_evaluations", (), np.array(spent))
