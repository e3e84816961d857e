"""What probes share: the episodes that are repeated, answers to them, and errors."""

from collections.abc import Generator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.contract.events import Block, Note
from engine.protocol import (
    EpisodeBatch,
    TaskBatch,
    Weights,
    chosen_class,
    generator,
)
from engine.protocol.member_chunks import (
    broadcast_to_members,
    chunks,
    select_replicates,
)
from engine.runner.context import LearnerEntry, RunContext
from engine.stats.task_metrics.few_shot import WORST

EPISODES = 64  # that are repeated, of each replicate
AnswerStream = Generator[Note, None, Tensor]


def episode_count(context: RunContext) -> int:
    """Return how many test episodes of a replicate are repeated."""
    return min(EPISODES, context.spec.budget.test_tasks)


def draw_probe_tasks(context: RunContext) -> EpisodeBatch:
    """Draw the first test episodes of each replicate again."""
    tasks = context.draw(context.setting, "test", ("test", 0), episode_count(context))
    assert isinstance(tasks, EpisodeBatch)
    return tasks


def task_block(
    label: str,
    name: str,
    values: np.ndarray,
    tasks: TaskBatch,
    **along: Sequence[float],
) -> Block:
    """Return a probe's block.

    Args:
        label: The learner's label, or empty.
        name: The metric.
        values: One row per member.
        tasks: The tasks that were answered.
        along: A further axis and its coordinates, if the rows have one.
    """
    shape = (tasks.replicates, -1, *map(len, along.values()))
    rows = values.astype(np.float64).reshape(shape)
    coords = {axis: tuple(map(float, at)) for axis, at in along.items()}
    axes = ("replicate", "task", *along)
    return Block(label, "test", name, axes, rows, coords=coords)


def draw_orders(
    context: RunContext, tasks: EpisodeBatch, word: str, size: int
) -> Tensor:
    """Draw a permutation for each member.

    Args:
        context: The run.
        tasks: The members.
        word: Names the random stream.
        size: How many are permuted.

    Returns:
        Shape (member, size).
    """
    each = tasks.members // tasks.replicates
    orders = [
        generator(rng.child(t, word)).permutation(size)
        for rng in context.streams("probe")
        for t in range(each)
    ]
    return torch.from_numpy(np.stack(orders)).to(tasks.support.y.device)


def shuffle_labels(context: RunContext, tasks: EpisodeBatch) -> EpisodeBatch:
    """Shuffle the support's labels among its examples."""
    order = draw_orders(context, tasks, "labels", tasks.support.count)
    y = tasks.support.y.gather(1, order)
    return replace(tasks, support=replace(tasks.support, y=y))


def answer_in_chunks(
    entry: LearnerEntry,
    weights: Weights,
    tasks: EpisodeBatch,
    *,
    with_density: bool = False,
) -> AnswerStream:
    """Adapt and predict, a chunk at a time; arguments and result as of `answer`."""
    learner, parts = entry.learner, []
    assert isinstance(learner, FewShotLearner)
    for members, replicates in chunks(tasks):
        some = tasks.take(members)
        own = select_replicates(weights, replicates)
        theta = broadcast_to_members(own, some.members)
        parts.append(learner.answer(theta, some, with_density=with_density))
        yield Note(f"probe {entry.label}", members.stop / tasks.members)
    return torch.cat(parts)


def answer_example(
    entry: LearnerEntry, weights: Weights, tasks: EpisodeBatch, place: int
) -> AnswerStream:
    """Answer one example of online episodes, without those after it.

    Args:
        entry: The learner.
        weights: Its frozen meta-weights.
        tasks: Online episodes.
        place: Which example; at least 1.

    Returns:
        Shape (member, output, 1).
    """
    learner = entry.learner
    assert isinstance(learner, FewShotLearner)
    if not learner.reads_sequences:
        asked = tasks.split(place, place + 1)
        return (yield from answer_in_chunks(entry, weights, asked))
    # Still online: it may read a support that is there from the start in another way.
    seen = tasks.query.cut(0, place + 1)
    read = replace(tasks.first_shots(place + 1), query=seen)
    out = yield from answer_in_chunks(entry, weights, read)
    return out[..., -1:]


def query_errors(out: Tensor, tasks: EpisodeBatch) -> Tensor:
    """Return 1 for a wrong class, or the squared error; shape (member, query)."""
    if tasks.has_classes:
        wrong = (chosen_class(out) != tasks.query.y) | ~out.isfinite().all(1)
        return wrong.to(out.dtype)
    worst = WORST["query_mse"]  # also stands for NaN, so that a mean is finite
    square = (out[:, 0] - tasks.query.y).square()
    return torch.nan_to_num(square, worst, worst, worst).clamp(max=worst)
