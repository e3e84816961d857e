"""The meta-test: every learner on the same new tasks, unshifted and shifted."""

import time
from collections.abc import Iterator

import numpy as np

from engine.contract.events import Artefact, Block, Event, Note, Timing
from engine.protocol import Meta, TaskBatch, TraceSegment, Weights
from engine.protocol.member_chunks import (
    chunks,
    join_chunks,
    join_segments,
    select_replicates,
)
from engine.runner.context import LearnerEntry, MetaTestCondition, RunContext
from engine.runner.state import RunState
from engine.stats.task_metrics.beliefs import HISTOGRAMS, summarize_beliefs


def draw_test_tasks(context: RunContext, condition: MetaTestCondition) -> TaskBatch:
    """Draw the test tasks of a condition.

    Their random streams are the same under every condition, so that comparisons are
    paired.
    """
    count = context.spec.budget.test_tasks
    return context.draw(condition.setting, "test", ("test", 0), count)


def meta_test(
    context: RunContext, condition: MetaTestCondition, state: RunState
) -> Iterator[Event]:
    """Test every learner under one condition.

    Args:
        context: The run.
        condition: The condition.
        state: The run's state; it holds the frozen meta-weights.

    Yields:
        Notes, traces, per-task summaries, timings, and why a learner was left out.
    """
    tasks = draw_test_tasks(context, condition)
    stage = f"test {condition.title}"
    remarks: dict[str, str] = {}
    for i, entry in enumerate(context.entries):
        meta = Meta(state.metas[entry.label], {})
        if reason := entry.learner.why_not(meta, tasks):
            remarks |= dict.fromkeys(entry.labels, reason)
            continue
        clock = time.perf_counter()
        done = i / len(context.entries)
        parts: list[TraceSegment] = []
        for members, replicates in chunks(tasks):
            some = Meta(select_replicates(meta.weights, replicates), {})
            pieces = []
            for piece in entry.learner.adapt(some, tasks.take(members)):
                pieces.append(piece)
                yield Note(stage, done, entry.label)  # a long unroll can be canceled
            parts.append(join_segments(pieces))
        taken, trace = time.perf_counter() - clock, join_chunks(parts)
        spent = context.judge.gradients(trace, tasks)
        yield Timing(entry.label, stage, taken, int(spent.clip(min=1).sum()))
        yield from _test_blocks(context, entry, condition, trace, state, tasks)
    if remarks:
        yield Artefact(remarks_name(condition), "remarks", {}, remarks)


def remarks_name(condition: MetaTestCondition) -> str:
    """Return the name of the artefact that says which learners were not tested."""
    return f"remarks {condition.title}"


def _by_replicate(rows: Weights, replicates: int) -> dict[str, np.ndarray]:
    """Return arrays of shape (replicate, task, …)."""
    return {
        name: row.unflatten(0, (replicates, -1)).cpu().numpy()
        for name, row in rows.items()
    }


def _test_blocks(
    context: RunContext,
    entry: LearnerEntry,
    condition: MetaTestCondition,
    trace: TraceSegment,
    state: RunState,
    tasks: TaskBatch,
) -> Iterator[Block]:
    label, where, judge = entry.label, condition.condition, context.judge
    known = state.learner(label).residual_variance
    traces = _by_replicate(trace.traces, tasks.replicates)
    at = {"step": tuple(map(float, trace.steps))} if trace.steps else {}
    for name, rows in judge.traces(traces).items():
        axes = ("replicate", "task", "step", "layer")[: rows.ndim]
        yield Block(label, "test", name, axes, rows.astype(np.float32), where, at)
    level = state.threshold
    summaries = judge.summaries(traces, trace, tasks, level)
    for name, rows in (summaries | _belief_scores(trace, summaries, known)).items():
        axes = ("replicate", "bin" if name in HISTOGRAMS else "task")
        yield Block(label, "test", name, axes, rows, where)
    spent = judge.gradients(trace, tasks).reshape(tasks.replicates, -1).sum(1)
    every = ("replicate",)  # replicates may have tuned to different numbers of steps
    yield Block(label, "test", "gradient_evaluations", every, spent * 1.0, where)
    if length := judge.support_length(tasks):
        yield Block(label, "test", "context_length", (), np.array(length), where)


def _belief_scores(
    trace: TraceSegment,
    summaries: dict[str, np.ndarray],
    variance: list[float] | None,
) -> dict[str, np.ndarray]:
    """Return the proper scores of what answers say of each query; empty without any."""
    if trace.answers is None:
        return {}
    answers = _by_replicate(trace.answers, len(summaries["diverged"]))
    loss, lost = summaries.get("final_query_loss"), summaries["diverged"]
    return summarize_beliefs(answers, loss, lost, variance)
