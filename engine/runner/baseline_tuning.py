"""Tuning a baseline: choose the rate with the lowest loss on meta-training tasks.

Every replicate tunes on tasks of its own, as someone who repeats the experiment would:
so the choice of the rate is part of the spread between replicates.
"""

from collections.abc import Generator, Iterator, Mapping

import numpy as np

from engine.algorithms.optimization.training_loop import objective
from engine.catalogue import find_card
from engine.contract.baseline_runs import tuning_run
from engine.contract.events import Block, Event, Note
from engine.contract.run_spec import Budget, LearnerChoice, RunSpec
from engine.protocol import Meta, OptimizationBatch, Weights
from engine.protocol.member_chunks import chunk_ranges
from engine.runner.context import LearnerEntry, RunContext, draw_tasks
from engine.runner.rate_search import (
    COARSE,
    FINE,
    RateGrid,
    Trial,
    search_rates,
    tuning_blocks,
)

GRID = RateGrid(COARSE[-1], limits=(-8.0, 4.0), coarse_share=0.25)
# What a search costs, in task evaluations per tuning task; the best coarse rate is
# scored twice.
SEARCH_COST = len(COARSE) * GRID.coarse_share + len(FINE) + 1


def tuning_spec(spec: RunSpec, choice: LearnerChoice) -> RunSpec:
    """Return the spec of the sub-run that tunes one baseline; see `tuning_run`.

    Args:
        spec: The run's completed spec.
        choice: The baseline.
    """
    return tuning_run(spec, choice, tuning_tasks(spec.budget, choice), find_card)


def tuning_tasks(budget: Budget, choice: LearnerChoice) -> int:
    """Return on how many tasks the fine rates are tried.

    With an equal budget, the search may use as many task evaluations as meta-training.
    """
    if choice.knobs["tuning"] != "equal_budget":
        return budget.tuning_tasks
    return max(budget.tuning_tasks, int(budget.task_evaluations / SEARCH_COST))


def tune_rates(
    context: RunContext, entry: LearnerEntry
) -> Generator[Event, None, Weights]:
    """Search for a baseline's learning rate in every replicate.

    Args:
        context: The tuning sub-run.
        entry: The baseline.

    Yields:
        Notes and the tuning blocks.

    Returns:
        Meta-weights with the best rates: `lr` of shape (replicate,).
    """
    count, replicates = context.spec.budget.tuning_tasks, context.spec.replicates
    place = context.batch_spec._replace(measure_held_out=False)
    streams = context.streams("tune")
    tasks = draw_tasks(context.setting, "train", streams, count, place)

    stage, spent = f"tune {entry.label}", np.zeros(replicates)

    def score(
        asked: Mapping[int, Trial], done: float
    ) -> Generator[Event, None, dict[int, float]]:
        found = {}
        for share in sorted({trial.share for trial in asked.values()}):
            same = {r: t.power for r, t in asked.items() if t.share == share}
            few = max(1, round(count * share))
            spent[list(same)] += few * tasks.horizon
            for replicate, mean in _score_rates(entry, tasks, same, few):
                found[replicate] = mean
                yield Note(stage, done)
        return found

    tried = yield from search_rates(stage, score, float, replicates, GRID)
    yield from tuning_blocks(entry.label, "tuning", tried)
    yield Block(entry.label, "tune", "gradient_evaluations", ("replicate",), spent)
    start = entry.learner.init(context.streams("init"), tasks).weights
    return {"lr": start["lr"].new_tensor([10.0**one.best for one in tried])}


def _score_rates(
    entry: LearnerEntry, tasks: OptimizationBatch, asked: Mapping[int, float], few: int
) -> Iterator[tuple[int, float]]:
    """Yield replicates and their mean log loss over steps and tuning tasks.

    Args:
        entry: The baseline.
        tasks: The tuning tasks of all replicates.
        asked: The log10 of the rate to score, by replicate.
        few: On how many of a replicate's tasks, the first ones.
    """
    each = tasks.members // tasks.replicates
    numbers, sums = list(asked), dict.fromkeys(asked, 0.0)
    for members, replicates in chunk_ranges(len(numbers), few, tasks.chunk):
        some = [numbers[r] for r in replicates]
        # The members of the replicates asked for, which need not be neighbors.
        index = [numbers[m // few] * each + m % few for m in members]
        rates = tasks.start().new_tensor([10.0 ** asked[r] for r in some])
        scores = _score_tasks(entry, tasks.take(index), Meta({"lr": rates}, {}))
        for replicate, row in zip(some, scores.reshape(len(some), -1), strict=True):
            sums[replicate] += float(row.sum())
            yield replicate, sums[replicate] / few


def _score_tasks(
    entry: LearnerEntry, tasks: OptimizationBatch, meta: Meta
) -> np.ndarray:
    """Return each task's log loss, mean over steps; shape (task,)."""
    total = 0.0
    for segment in entry.learner.adapt(meta, tasks):
        total = total + objective(segment.traces["loss"]).sum(1)
    # The loss before the first step is in the traces, too.
    mean = total / (tasks.horizon + 1)
    return mean.double().cpu().numpy()  # type: ignore[attr-defined, no-any-return]
