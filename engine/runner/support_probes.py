"""Probes of the support: how answers depend on the number and order of its examples."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import one_hot
from engine.contract.events import Event
from engine.protocol import EpisodeBatch, Meta, Weights, square_root
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.probe_answers import (
    answer_example,
    answer_in_chunks,
    draw_orders,
    episode_count,
    query_errors,
    task_block,
)

CONTEXTS = 32  # episodes of a replicate that are answered from fewer examples
ORDERED, ORDERS = 8, 8  # episodes that are answered in other orders; how many
PRESENTATIONS = 10  # of one class, that are told apart
ROUND_LENGTHS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100)
ROUNDING = 1e-3  # of the targets' standard deviation; smaller spreads count as none


def support_probe_answers(context: RunContext) -> int:
    """Return how many episodes of a replicate these probes answer, at most."""
    count = episode_count(context)
    lengths = len(ROUND_LENGTHS) // 2  # shorter than a typical support
    return lengths * min(CONTEXTS, count) + ORDERS * min(ORDERED, count)


def probe_support(
    context: RunContext, entry: LearnerEntry, weights: Weights, tasks: EpisodeBatch
) -> Iterator[Event]:
    """Test a learner on supports that are shorter or in another order.

    Args:
        context: The run.
        entry: The learner.
        weights: Its frozen meta-weights.
        tasks: Test episodes that it can take.

    Yields:
        Notes; the error by number of examples, where these reveal the target one by
        one; of classes that come one by one the accuracy by presentation; and the
        spread over orders.
    """
    if tasks.online:
        yield from _errors_by_position(entry, weights, tasks)
    elif not tasks.has_classes:
        some = tasks.first_tasks(CONTEXTS)
        yield from _errors_by_length(entry, weights, some)
    few = tasks.first_tasks(ORDERED)
    # The last example of an online episode is asked about, after all others.
    last = few.split(few.support.count - 1) if few.online else few
    if not entry.learner.why_not(Meta(weights, {}), last):
        yield from _spread_over_orders(context, entry, weights, few, last)


def _errors_by_position(
    entry: LearnerEntry, weights: Weights, tasks: EpisodeBatch
) -> Iterator[Event]:
    """Answer online episodes once: each query comes after one more example."""
    out = yield from answer_in_chunks(entry, weights, tasks)
    errors = query_errors(out, tasks)
    block = partial(task_block, entry.label, tasks=tasks)
    rows = errors.cpu().numpy()
    yield block("context_error", rows, context=tasks.context_lengths)
    if tasks.has_classes:
        rows = _accuracy_by_presentation(errors, tasks).cpu().numpy()
        yield block(
            "presentation_accuracy", rows, presentation=range(1, rows.shape[1] + 1)
        )


def _accuracy_by_presentation(errors: Tensor, tasks: EpisodeBatch) -> Tensor:
    """Return the share of right answers when a class is seen for the k-th time.

    Returns:
        Shape (member, presentation); NaN where no class was seen so often.
    """
    classes = one_hot(tasks.query.y, tasks.outputs, tasks.query.x)
    seen = (classes.cumsum(1) * classes).sum(2)
    times = range(1, PRESENTATIONS + 1)
    at = torch.stack([seen == k for k in times], 1).to(errors.dtype)
    return (at * (1.0 - errors).unsqueeze(1)).sum(2) / at.sum(2)


def _errors_by_length(
    entry: LearnerEntry, weights: Weights, tasks: EpisodeBatch
) -> Iterator[Event]:
    """Answer the queries from the first examples of the support alone."""
    meta = Meta(weights, {})
    parts = {n: tasks.first_shots(n) for n in context_lengths(tasks.support.count)}
    parts = {
        n: some for n, some in parts.items() if not entry.learner.why_not(meta, some)
    }
    rows = []
    for some in parts.values():
        out = yield from answer_in_chunks(entry, weights, some)
        rows.append(query_errors(out, some).mean(1).cpu().numpy())
    if rows:
        stacked = np.stack(rows, 1)
        yield task_block(entry.label, "context_error", stacked, tasks, context=[*parts])


def context_lengths(support: int) -> list[int]:
    """Return the numbers of examples at which the error is measured.

    Args:
        support: Number of examples of a whole support, the last of them.

    >>> context_lengths(10), context_lengths(4)
    ([1, 2, 3, 5, 7, 10], [1, 2, 3, 4])
    """
    return [n for n in ROUND_LENGTHS if n < support] + [support]


def _spread_over_orders(
    context: RunContext,
    entry: LearnerEntry,
    weights: Weights,
    tasks: EpisodeBatch,
    asked: EpisodeBatch,
) -> Iterator[Event]:
    """Answer queries, `asked`, with the support before them in random orders."""
    answers, count = [], asked.support.count
    for i in range(ORDERS):
        order = draw_orders(context, asked, f"order {i}", count)
        if tasks.online:
            changed = _reorder_before_the_last(order, tasks)
            out = yield from answer_example(entry, weights, changed, count)
        else:
            support = tasks.support.map(partial(_reorder, order))
            changed = replace(tasks, support=support)
            out = yield from answer_in_chunks(entry, weights, changed)
        answers.append(out.softmax(1) if tasks.has_classes else out)
    spread = order_spread(torch.stack(answers), asked).cpu().numpy()
    yield task_block(entry.label, "order_spread", spread, tasks)


def _reorder_before_the_last(order: Tensor, tasks: EpisodeBatch) -> EpisodeBatch:
    """Return online episodes with all examples but the last in another order."""
    end = order.new_full((len(order), 1), order.shape[1])
    shots = tasks.support.map(partial(_reorder, torch.cat([order, end], 1)))
    return replace(tasks, support=shots, query=shots)


def _reorder(order: Tensor, tensor: Tensor) -> Tensor:
    """Put examples, the last axis, into another order for each member."""
    index = order.view(len(order), *[1] * (tensor.dim() - 2), -1)
    return tensor.take_along_dim(index, -1)


def order_spread(answers: Tensor, tasks: EpisodeBatch) -> Tensor:
    """Return the standard deviation over orders, relative to the error of the answers.

    Both are root mean squares over outputs and queries. The square of the result is the
    share of the squared error that the order explains.

    Args:
        answers: Probabilities of the classes, or values; shape (order, member, output,
            query).
        tasks: The episodes.

    Returns:
        0 to 1, 0 if the order does not matter; shape (member,).
    """
    y = tasks.query.y
    classes = tasks.has_classes
    right = one_hot(y, tasks.outputs, tasks.query.x).mT if classes else y.unsqueeze(1)
    variance = answers.var(0, correction=0).flatten(1).mean(1)
    error = (answers - right).square().mean(0).flatten(1).mean(1)
    scale = right.flatten(1).var(1, correction=0)
    felt = variance > ROUNDING**2 * scale
    return torch.where(felt, square_root(variance / error), torch.zeros_like(error))
