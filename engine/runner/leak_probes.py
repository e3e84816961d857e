"""Probes of few-shot learners: predictions on modified episodes reveal leaks.

Some of the test episodes in distribution are repeated with the support labels shuffled,
with the classes permuted, and with one query at a time. How the predictions change
tells learning from memorization, leaks and shortcuts; the detectors use it.
"""

from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner, draw_weights
from engine.contract.errors import Refused
from engine.contract.events import Block, Event, Note
from engine.protocol import (
    EpisodeBatch,
    ExampleBatch,
    Learner,
    Meta,
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
from engine.runner.state import RunState
from engine.stats.summaries.episode_checks import (
    count_repeats,
    has_one_class,
    label_mismatch_p,
)
from engine.stats.task_metrics.few_shot import WORST
from engine.tasks.few_shot._family import EpisodeFamily

# Episodes that are repeated; episodes with single queries, and how many of each.
EPISODES, FEWER, QUERIES = 64, 16, 4
MOVED = 0.01  # of the outputs' standard deviation; rounding moves them less
PER_TASK = ("replicate", "task")
AnswerStream = Generator[Note, None, Tensor]


def probe_cost(context: RunContext, learner: Learner) -> float:
    """Return how many gradient evaluations a learner's probes take, for progress."""
    count = _episode_count(context)
    asked = 3 * count + min(FEWER, count) * (1 + QUERIES)
    return (
        asked
        * context.spec.replicates
        * learner.gradients_per_test(context.spec.budget.horizon)
    )


def probe_tasks(context: RunContext, state: RunState) -> Iterator[Event]:
    """Check the episodes themselves, without a learner.

    Args:
        context: The run.
        state: Not used; every stage takes it.

    Yields:
        Per task: repeated examples, single-class episodes, label mismatch and the
        lowest possible error; once: chance error, and from how many examples the net
        takes its statistics.
    """
    tasks = _draw_tasks(context)
    found = {"duplicates": [_count_repeats(tasks, i) for i in range(tasks.members)]}
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
    if (best := _best_errors(context)) is not None:
        found["bound_error"] = best
    for name, values in found.items():
        yield _task_block("", name, np.asarray(values, dtype=np.float64), tasks)
    yield Block(
        "", "test", "normed_over", (), np.array(_statistics_examples(context, tasks))
    )


def probe_learner(
    context: RunContext, entry: LearnerEntry, state: RunState
) -> Iterator[Event]:
    """Test a learner on modified episodes, unless it cannot take them.

    Args:
        context: The run.
        entry: The learner.
        state: Holds its frozen meta-weights.

    Yields:
        Notes and one error per task for each modification.
    """
    tasks, learner = _draw_tasks(context), entry.learner
    weights = state.metas[entry.label]
    if not isinstance(learner, FewShotLearner) or learner.why_not(
        Meta(weights, {}), tasks
    ):
        return
    asked = {"as_asked_error": tasks, "shuffled_error": _shuffle_labels(context, tasks)}
    if tasks.has_classes:
        asked["reordered_error"] = _permute_classes(context, tasks)
    for name, changed in asked.items():
        out = yield from _answer_in_chunks(entry, weights, changed)
        error = _query_errors(out, changed).mean(1).cpu().numpy()
        yield _task_block(entry.label, name, error, tasks)
    yield from _ask_queries_alone(entry, weights, tasks)


def _episode_count(context: RunContext) -> int:
    return min(EPISODES, context.spec.budget.test_tasks)


def _draw_tasks(context: RunContext) -> EpisodeBatch:
    """Draw the first test episodes of each replicate again."""
    tasks = context.draw(context.setting, "test", ("test", 0), _episode_count(context))
    assert isinstance(tasks, EpisodeBatch)
    return tasks


def _task_block(label: str, name: str, values: np.ndarray, tasks: TaskBatch) -> Block:
    rows = values.astype(np.float64).reshape(tasks.replicates, -1)
    return Block(label, "test", name, PER_TASK, rows)


def _count_repeats(tasks: EpisodeBatch, member: int) -> int:
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
        for t in range(_episode_count(context))
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


def _draw_orders(
    context: RunContext, tasks: EpisodeBatch, word: str, size: int
) -> Tensor:
    """Draw a permutation for each member; shape (member, size)."""
    each = tasks.members // tasks.replicates
    orders = [
        generator(rng.child(t, word)).permutation(size)
        for rng in context.streams("probe")
        for t in range(each)
    ]
    return torch.from_numpy(np.stack(orders)).to(tasks.support.y.device)


def _shuffle_labels(context: RunContext, tasks: EpisodeBatch) -> EpisodeBatch:
    """Shuffle the support's labels among its examples."""
    order = _draw_orders(context, tasks, "labels", tasks.support.count)
    y = tasks.support.y.gather(1, order)
    return replace(tasks, support=replace(tasks.support, y=y))


def _permute_classes(context: RunContext, tasks: EpisodeBatch) -> EpisodeBatch:
    """Permute the class indices, in support and queries alike."""
    order = _draw_orders(context, tasks, "classes", tasks.outputs)
    support, query = (
        replace(shots, y=order.gather(1, shots.y))
        for shots in _support_and_query(tasks)
    )
    return replace(tasks, support=support, query=query)


def _ask_queries_alone(
    entry: LearnerEntry, weights: Weights, tasks: EpisodeBatch
) -> Iterator[Event]:
    """Predict some queries alone, and compare with predicting all at once."""
    each = tasks.members // tasks.replicates
    few, count = min(FEWER, each), min(QUERIES, tasks.query.count)
    some = [r * each + t for r in range(tasks.replicates) for t in range(few)]
    picked = torch.linspace(0, tasks.query.count - 1, count).long()
    company = replace(tasks.take(some), replicates=tasks.replicates)
    out = yield from _answer_in_chunks(entry, weights, company)
    beside = out[:, :, picked.to(out.device)].transpose(1, 2).flatten(0, 1)
    alone = _single_query_tasks(tasks, some, picked)
    lone = (yield from _answer_in_chunks(entry, weights, alone))[..., 0]
    scale = out.flatten(1).std(1, correction=0).repeat_interleave(count)
    # Not `>`: a NaN output counts as moved.
    moved = ~((lone - beside).abs().amax(1) <= MOVED * scale)
    errors = {"together_error": beside, "alone_error": lone}
    rows = {
        name: _query_errors(answer.unsqueeze(2), alone)[:, 0]
        for name, answer in errors.items()
    }
    for name, row in (rows | {"company_matters": moved.to(out.dtype)}).items():
        mean = row.view(-1, count).mean(1)
        yield _task_block(entry.label, name, mean.cpu().numpy(), tasks)


def _single_query_tasks(
    tasks: EpisodeBatch, some: list[int], picked: Tensor
) -> EpisodeBatch:
    """Return a batch with one task for each picked query of some members."""
    count = len(picked)
    alone = tasks.take([member for member in some for _ in range(count)])
    at = picked.repeat(len(some)).to(tasks.query.y.device)

    def only(tensor: Tensor) -> Tensor:
        index = at.view(-1, *[1] * (tensor.dim() - 1))
        return tensor.take_along_dim(index, tensor.dim() - 1)

    return replace(alone, replicates=tasks.replicates, query=alone.query.map(only))


def _answer_in_chunks(
    entry: LearnerEntry, weights: Weights, tasks: EpisodeBatch
) -> AnswerStream:
    """Adapt and predict, a chunk at a time; shape (member, output, query)."""
    learner, parts = entry.learner, []
    assert isinstance(learner, FewShotLearner)
    for members, replicates in chunks(tasks):
        some = tasks.take(members)
        meta = Meta(select_replicates(weights, replicates), {})
        wanted = learner.answer_step(meta)
        theta = broadcast_to_members(meta.weights, some.members)
        found = learner.predictions(theta, some)
        parts.append(next(p.query_outputs.detach() for p in found if p.step == wanted))
        yield Note(f"probe {entry.label}", len(torch.cat(parts)) / tasks.members)
    return torch.cat(parts)


def _query_errors(out: Tensor, tasks: EpisodeBatch) -> Tensor:
    """Return 1 for a wrong class, or the squared error; shape (member, query)."""
    if tasks.has_classes:
        wrong = (chosen_class(out) != tasks.query.y) | ~out.isfinite().all(1)
        return wrong.to(out.dtype)
    worst = WORST["query_mse"]  # also stands for NaN, so that a mean is finite
    square = (out[:, 0] - tasks.query.y).square()
    return torch.nan_to_num(square, worst, worst, worst).clamp(max=worst)
