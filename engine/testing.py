"""The meta-test: the same fresh tasks for everyone, in place and under shift."""

import time
from collections.abc import Iterator

import numpy as np

from engine.bench import Bench, Entrant, Trial
from engine.carry import Carry
from engine.contract.blocks import Block, Event, Note, Timing
from engine.inner.descend import join
from engine.protocol import Meta, Stretch, TaskBatch, Weights
from engine.stats.summaries import cut, summarize_tasks


def test_tasks(bench: Bench, trial: Trial) -> TaskBatch:
    """Draw the test tasks; their streams are the same under every condition."""
    count = bench.spec.budget.test_tasks
    return bench.draw(trial.setting, "test", ("test", 0), count)


def meta_test(bench: Bench, trial: Trial, carry: Carry) -> Iterator[Event]:
    """Run every learner on one condition; yield traces and per-task summaries."""
    tasks = test_tasks(bench, trial)
    stage = f"test {trial.title}"
    for i, entrant in enumerate(bench.entrants):
        clock = time.perf_counter()
        parts: list[Stretch] = []
        for members, replicates in chunks(tasks):
            meta = Meta(rows_of(carry.metas[entrant.label], replicates), {})
            pieces = []
            for piece in entrant.learner.adapt(meta, tasks.take(members)):
                pieces.append(piece)
                yield Note(stage, i / len(bench.entrants), entrant.label)
            parts.append(join(pieces))
        taken = time.perf_counter() - clock
        yield Timing(entrant.label, stage, taken, tasks.members * tasks.horizon)
        traces = _gathered(parts, bench.spec.replicates)
        yield from _blocks(entrant, trial, traces, carry, tasks)


def chunks(tasks: TaskBatch) -> Iterator[tuple[range, range]]:
    """Cut members into chunks of whole replicates, or pieces of one.

    Yields:
        The members of a chunk and the replicates that they belong to.
    """
    each = tasks.members // tasks.replicates
    if each >= tasks.chunk:
        for r in range(tasks.replicates):
            for first in range(0, each, tasks.chunk):
                last = min(first + tasks.chunk, each)
                yield range(r * each + first, r * each + last), range(r, r + 1)
        return
    group = tasks.chunk // each
    for first in range(0, tasks.replicates, group):
        last = min(first + group, tasks.replicates)
        yield range(first * each, last * each), range(first, last)


def rows_of(weights: Weights, replicates: range) -> Weights:
    """Return the meta-weights of some replicates; one tuned rate serves them all."""
    return {
        name: tensor if len(tensor) == 1 else tensor[replicates.start : replicates.stop]
        for name, tensor in weights.items()
    }


def _gathered(parts: list[Stretch], replicates: int) -> dict[str, np.ndarray]:
    gathered = {}
    for name in parts[0].traces:
        rows = np.concatenate([part.traces[name].cpu().numpy() for part in parts])
        gathered[name] = rows.reshape(replicates, -1, *rows.shape[1:])
    return gathered


def _blocks(
    entrant: Entrant,
    trial: Trial,
    traces: dict[str, np.ndarray],
    carry: Carry,
    tasks: TaskBatch,
) -> Iterator[Block]:
    label, where = entrant.label, trial.condition
    kept, _ = cut(traces)
    for name, rows in kept.items():
        axes = ("replicate", "task", "step", "layer")[: rows.ndim]
        yield Block(label, "test", name, axes, rows.astype(np.float32), where)
    summary = summarize_tasks(traces, carry.facts["threshold"], tasks.drift_start)
    for name, rows in summary.items():
        yield Block(label, "test", name, ("replicate", "task"), rows, where)
    spent = np.array(float(tasks.horizon * tasks.members / tasks.replicates))
    yield Block(label, "test", "gradient_evaluations", (), spent, where)
