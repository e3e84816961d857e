"""The meta-test: the same fresh tasks for everyone, in place and under shift."""

import time
from collections.abc import Iterator

import numpy as np

from engine.contract.blocks import Artefact, Block, Event, Note, Timing
from engine.protocol import Meta, Stretch, TaskBatch
from engine.protocol.chunks import chunks, join, rows_of
from engine.runner.context import Bench, Entrant, Trial
from engine.runner.state import Carry


def test_tasks(bench: Bench, trial: Trial) -> TaskBatch:
    """Draw the test tasks; their streams are the same under every condition."""
    count = bench.spec.budget.test_tasks
    return bench.draw(trial.setting, "test", ("test", 0), count)


def meta_test(bench: Bench, trial: Trial, carry: Carry) -> Iterator[Event]:
    """Run every learner on one condition; yield traces and per-task summaries."""
    tasks = test_tasks(bench, trial)
    stage = f"test {trial.title}"
    remarks: dict[str, str] = {}
    for i, entrant in enumerate(bench.entrants):
        meta = Meta(carry.metas[entrant.label], {})
        if reason := entrant.learner.why_not(meta, tasks):
            remarks |= dict.fromkeys(entrant.labels, reason)
            continue
        clock = time.perf_counter()
        done = i / len(bench.entrants)
        parts: list[Stretch] = []
        for members, replicates in chunks(tasks):
            some = Meta(rows_of(meta.weights, replicates), {})
            pieces = []
            for piece in entrant.learner.adapt(some, tasks.take(members)):
                pieces.append(piece)
                yield Note(stage, done, entrant.label)
            parts.append(join(pieces))
        taken = time.perf_counter() - clock
        spent = bench.judge.gradients(parts[0], tasks)
        count = tasks.members * max(1, spent)
        yield Timing(entrant.label, stage, taken, count)
        yield from _blocks(bench, entrant, trial, parts, carry, tasks)
    if remarks:
        yield Artefact(remarks_name(trial), "remarks", {}, remarks)


def remarks_name(trial: Trial) -> str:
    """Return what the artefact is called that says who could not be tested."""
    return f"remarks {trial.title}"


def _gathered(parts: list[Stretch], replicates: int) -> dict[str, np.ndarray]:
    gathered = {}
    for name in parts[0].traces:
        rows = np.concatenate([part.traces[name].cpu().numpy() for part in parts])
        gathered[name] = rows.reshape(replicates, -1, *rows.shape[1:])
    return gathered


def _blocks(
    bench: Bench,
    entrant: Entrant,
    trial: Trial,
    parts: list[Stretch],
    carry: Carry,
    tasks: TaskBatch,
) -> Iterator[Block]:
    label, where, judge = entrant.label, trial.condition, bench.judge
    traces = _gathered(parts, bench.spec.replicates)
    at = {"step": tuple(float(step) for step in parts[0].at)} if parts[0].at else {}
    for name, rows in judge.traces(traces).items():
        axes = ("replicate", "task", "step", "layer")[: rows.ndim]
        yield Block(label, "test", name, axes, rows.astype(np.float32), where, at)
    level = carry.threshold
    for name, rows in judge.summaries(traces, parts[0], tasks, level).items():
        yield Block(label, "test", name, ("replicate", "task"), rows, where)
    each = tasks.members / tasks.replicates
    spent = np.array(float(judge.gradients(parts[0], tasks) * each))
    yield Block(label, "test", "gradient_evaluations", (), spent, where)
