"""Probes of few-shot learners: predictions on modified episodes reveal leaks.

Some of the test episodes in distribution are repeated with the support labels shuffled,
with the classes permuted, and with one query at a time. How the predictions change
tells learning from memorization, leaks and shortcuts; the detectors use it.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.initial_weights import draw_weights
from engine.contract.errors import Refused
from engine.contract.events import Block, Event
from engine.protocol import EpisodeBatch, ExampleBatch, Weights
from engine.runner.blind_answers import blind_errors, zero_errors
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.probe_answers import (
    AnswerStream,
    answer_example,
    answer_in_chunks,
    draw_orders,
    draw_probe_tasks,
    episode_count,
    query_errors,
    shuffle_labels,
    task_block,
)
from engine.runner.state import RunState
from engine.stats.summaries.episode_checks import (
    count_repeats,
    has_one_class,
    label_mismatch_p,
)
from engine.tasks.few_shot._family import EpisodeFamily

FEWER, QUERIES = 16, 4  # episodes whose queries are asked alone; how many of each
MOVED = 0.01  # of the outputs' standard deviation; rounding moves them less


def leak_probe_answers(context: RunContext) -> int:
    """Return how many episodes of a replicate these probes answer."""
    count = episode_count(context)
    return 3 * count + min(FEWER, count) * (4 + QUERIES)


def probe_tasks(context: RunContext, state: RunState) -> Iterator[Event]:
    """Check the episodes themselves, without a learner.

    Args:
        context: The run.
        state: Not used; every stage takes it.

    Yields:
        Per task: repeated examples, single-class episodes, label mismatch, the error of
        answers that ignore the inputs, and the lowest possible error; once: chance
        error, and from how many examples the net takes its statistics.
    """
    tasks = draw_probe_tasks(context)
    found = {"duplicates": [_count_repeats(tasks, i) for i in range(tasks.members)]}
    found["blind_error"] = blind_errors(tasks).tolist()
    if tasks.has_classes:
        pairs = [
            (tasks.support.y[i].cpu().numpy(), tasks.query.y[i].cpu().numpy())
            for i in range(tasks.members)
        ]
        found["single_class"] = [has_one_class(s) or has_one_class(q) for s, q in pairs]
        found["label_mismatch"] = [
            label_mismatch_p(s, q, tasks.outputs) for s, q in pairs
        ]
        chance = np.array(1.0 - 1.0 / tasks.outputs)
        yield Block("", "test", "chance_error", (), chance)
    else:
        found["zero_error"] = zero_errors(tasks).tolist()
    if (best := _best_errors(context)) is not None:
        found["bound_error"] = best
    for name, values in found.items():
        yield task_block("", name, np.asarray(values, dtype=np.float64), tasks)
    yield Block(
        "", "test", "normed_over", (), np.array(_statistics_examples(context, tasks))
    )


def probe_leaks(
    context: RunContext, entry: LearnerEntry, weights: Weights, tasks: EpisodeBatch
) -> Iterator[Event]:
    """Test a learner on modified episodes.

    Args:
        context: The run.
        entry: The learner.
        weights: Its frozen meta-weights.
        tasks: Test episodes that it can take.

    Yields:
        Notes and one error per task for each modification.
    """
    asked = {"as_asked_error": tasks, "shuffled_error": shuffle_labels(context, tasks)}
    if tasks.has_classes:
        asked["reordered_error"] = _permute_classes(context, tasks)
    for name, changed in asked.items():
        out = yield from answer_in_chunks(entry, weights, changed)
        error = query_errors(out, changed).mean(1).cpu().numpy()
        yield task_block(entry.label, name, error, tasks)
    few = tasks.first_tasks(FEWER)
    yield from _ask_queries_alone(entry, weights, few)
    yield from _change_what_is_hidden(entry, weights, few)


def _count_repeats(tasks: EpisodeBatch, member: int) -> int:
    """Count examples in both sets, or that come twice in an online episode."""
    if tasks.online:
        return tasks.query.count - len(tasks.query.x[member].unique(dim=1).T)
    support, query = (
        shots.x[member].cpu().numpy() for shots in _support_and_query(tasks)
    )
    return count_repeats(support, query)


def _support_and_query(tasks: EpisodeBatch) -> tuple[ExampleBatch, ExampleBatch]:
    return tasks.support, tasks.query


def _best_errors(context: RunContext) -> list[float] | None:
    family = context.setting.family
    if not isinstance(family, EpisodeFamily):
        return None
    rngs = [
        s.child(t)
        for s in context.streams("test", 0)
        for t in range(episode_count(context))
    ]
    found = [family.best_error(rng, "test") for rng in rngs]
    known = [bound for bound in found if bound is not None]
    return known if len(known) == len(found) else None


def _statistics_examples(context: RunContext, tasks: EpisodeBatch) -> float:
    """Return how many examples the net's batch statistics use; 0 if it has none."""
    net = tasks.net
    if net.compares or tasks.query.count < 2:
        return 0.0
    try:
        layout = tasks.layout
    except Refused:  # the tests are done, so no learner of this run uses the net
        return 0.0
    weights = draw_weights(net, layout, context.streams("init")[:1], tasks.query.x)
    x = tasks.query.x[:1]
    # With batch statistics, a query's output depends on the other queries.
    alone, beside = net.apply(weights, x[..., :1]), net.apply(weights, x)[..., :1]
    if bool((alone - beside).abs().max() <= 1e-4 * (1.0 + beside.abs().max())):
        return 0.0
    shots = tasks.support if net.support_statistics else tasks.query
    return float(shots.count)


def _permute_classes(context: RunContext, tasks: EpisodeBatch) -> EpisodeBatch:
    """Permute the class indices, in support and queries alike."""
    order = draw_orders(context, tasks, "classes", tasks.outputs)
    support, query = (
        replace(shots, y=order.gather(1, shots.y))
        for shots in _support_and_query(tasks)
    )
    return replace(tasks, support=support, query=query)


def _ask_queries_alone(
    entry: LearnerEntry, weights: Weights, tasks: EpisodeBatch
) -> Iterator[Event]:
    """Predict some queries alone, and compare with predicting all at once."""
    # Before the first example of an online episode there is no support.
    first, last = int(tasks.online), tasks.query.count - 1
    picked = torch.linspace(first, last, min(QUERIES, last + 1)).long()
    out = yield from answer_in_chunks(entry, weights, tasks)
    beside = out[:, :, picked.to(out.device)]
    lone = yield from _answer_alone(entry, weights, tasks, picked)
    scale = out.flatten(1).std(1, correction=0).unsqueeze(1)
    # Not `>`: a NaN output counts as moved.
    moved = ~((lone - beside).abs().amax(1) <= MOVED * scale)
    asked = replace(tasks, query=tasks.query.map(lambda t: t[..., picked.to(t.device)]))
    rows = {
        "together_error": query_errors(beside, asked),
        "alone_error": query_errors(lone, asked),
        "company_matters": moved.to(out.dtype),
    }
    for name, row in rows.items():
        yield task_block(entry.label, name, row.mean(1).cpu().numpy(), tasks)


def _answer_alone(
    entry: LearnerEntry, weights: Weights, tasks: EpisodeBatch, picked: Tensor
) -> AnswerStream:
    """Predict each picked query alone: without the other queries, or later examples."""
    lone = []
    for at in picked.tolist():
        if tasks.online:
            found = yield from answer_example(entry, weights, tasks, at)
        else:
            alone = replace(tasks, query=tasks.query.cut(at, at + 1))
            found = yield from answer_in_chunks(entry, weights, alone)
        lone.append(found)
    return torch.cat(lone, 2)


def _change_what_is_hidden(
    entry: LearnerEntry, weights: Weights, tasks: EpisodeBatch
) -> Iterator[Event]:
    """Change the queries' own targets, and later ones: no bit may move.

    Of online episodes those from the first query on, and those from the middle one on.
    """
    count = tasks.query.count
    places = (0, count // 2) if tasks.online else (0,)
    predict = partial(answer_in_chunks, entry, weights, with_density=True)
    before = yield from predict(tasks)
    moved = torch.zeros_like(before[:, 0], dtype=torch.bool)
    for hidden in places:
        after = yield from predict(_rewrite(tasks, hidden))
        same = (before == after) | (before.isnan() & after.isnan())
        seen = hidden + 1 if tasks.online else count
        moved[:, :seen] |= ~same.all(1)[:, :seen]
    share = moved[:, :seen].to(before.dtype).mean(1).cpu().numpy()
    yield task_block(entry.label, "own_target_matters", share, tasks)


def _rewrite(tasks: EpisodeBatch, hidden: int) -> EpisodeBatch:
    """Return episodes with other targets from a query on.

    Inputs stay: that answers depend on those of other queries is no leak of targets.
    The support of usual episodes stays, too, since the queries are no part of it.
    """

    def change(shots: ExampleBatch) -> ExampleBatch:
        old, first = shots.y[..., hidden:], shots.y[..., :hidden]
        new = (old + 1) % tasks.outputs if tasks.has_classes else old + 1.0
        return replace(shots, y=torch.cat([first, new], -1))

    support = change(tasks.support) if tasks.online else tasks.support
    return replace(tasks, support=support, query=change(tasks.query))
