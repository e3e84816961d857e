"""Probes of few-shot learners: what they answer when they should not be able to.

A few of the test episodes in place are asked again, changed: with the labels of the
support shuffled, with the classes renamed, with one query at a time. What each
change does to the answers tells apart learning from memory, leaks and shortcuts;
the detectors read it.
"""

from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.few_shot.learner import FewShotLearner, drawn
from engine.contract.blocks import Block, Event, Note
from engine.contract.errors import Refused
from engine.protocol import (
    Episodes,
    Learner,
    Meta,
    Shots,
    TaskBatch,
    Weights,
    chosen_class,
    generator,
)
from engine.protocol.chunks import chunks, rows_of, spread
from engine.runner.context import Bench, Entrant
from engine.runner.state import Carry
from engine.stats.summaries.few_shot import WORST
from engine.stats.summaries.label_agreement import mismatch, one_class, repeats
from engine.tasks.few_shot._family import EpisodeFamily

EPISODES, FEWER, QUERIES = 64, 16, 4  # asked again; asked one by one; of each
MOVED = 0.01  # of an answer's own spread: more than rounding
PER_TASK = ("replicate", "task")
Answers = Generator[Note, None, Tensor]


def probe_work(bench: Bench, learner: Learner) -> float:
    """Return how many gradients a learner's probes take, for the progress bar."""
    count = _count(bench)
    asked = 3 * count + min(FEWER, count) * (1 + QUERIES)
    return asked * bench.spec.replicates * learner.effort(bench.spec.budget.horizon)


def probe_tasks(bench: Bench, carry: Carry) -> Iterator[Event]:
    """Look at the episodes themselves: repeats, labels, and the best there can be."""
    tasks = _tasks(bench)
    found = {"duplicates": [_repeats(tasks, i) for i in range(tasks.members)]}
    if tasks.classes:
        pairs = [
            (tasks.support.y[i].cpu().numpy(), tasks.query.y[i].cpu().numpy())
            for i in range(tasks.members)
        ]
        found["single_class"] = [one_class(s) or one_class(q) for s, q in pairs]
        found["label_mismatch"] = [mismatch(s, q, tasks.outputs) for s, q in pairs]
        chance = np.array(1.0 - 1.0 / tasks.outputs)
        yield Block("", "test", "chance_error", (), chance)
    if (best := _bounds(bench)) is not None:
        found["bound_error"] = best
    for name, values in found.items():
        yield _block("", name, np.asarray(values, dtype=np.float64), tasks)
    yield Block("", "test", "normed_over", (), np.array(_normed_over(bench, tasks)))


def probe(bench: Bench, entrant: Entrant, carry: Carry) -> Iterator[Event]:
    """Ask a learner changed episodes; a learner that cannot take them is left out."""
    tasks, learner = _tasks(bench), entrant.learner
    weights = carry.metas[entrant.label]
    if not isinstance(learner, FewShotLearner) or learner.why_not(
        Meta(weights, {}), tasks
    ):
        return
    asked = {"as_asked_error": tasks, "shuffled_error": _shuffled(bench, tasks)}
    if tasks.classes:
        asked["reordered_error"] = _renamed(bench, tasks)
    for name, changed in asked.items():
        out = yield from _answered(entrant, weights, changed)
        error = _errors(out, changed).mean(1).cpu().numpy()
        yield _block(entrant.label, name, error, tasks)
    yield from _one_by_one(entrant, weights, tasks)


def _count(bench: Bench) -> int:
    return min(EPISODES, bench.spec.budget.test_tasks)


def _tasks(bench: Bench) -> Episodes:
    """Draw the first test episodes of each replicate again."""
    tasks = bench.draw(bench.setting, "test", ("test", 0), _count(bench))
    assert isinstance(tasks, Episodes)
    return tasks


def _block(label: str, name: str, values: np.ndarray, tasks: TaskBatch) -> Block:
    rows = values.astype(np.float64).reshape(tasks.replicates, -1)
    return Block(label, "test", name, PER_TASK, rows)


def _repeats(tasks: Episodes, member: int) -> int:
    support, query = (shots.x[member].cpu().numpy() for shots in _sets(tasks))
    return repeats(support, query)


def _sets(tasks: Episodes) -> tuple[Shots, Shots]:
    return tasks.support, tasks.query


def _bounds(bench: Bench) -> list[float] | None:
    family = bench.setting.family
    if not isinstance(family, EpisodeFamily):
        return None
    rngs = [s.child(t) for s in bench.streams("test", 0) for t in range(_count(bench))]
    found = [family.best_error(rng, "test") for rng in rngs]
    known = [bound for bound in found if bound is not None]
    return known if len(known) == len(found) else None


def _normed_over(bench: Bench, tasks: Episodes) -> float:
    """Return from how many examples the net's statistics come; 0 if from none."""
    net = tasks.net
    if net.compares or tasks.query.count < 2:
        return 0.0
    try:
        layout = tasks.layout
    except Refused:  # the run has come so far without the net: no learner uses it
        return 0.0
    weights = drawn(net, layout, bench.streams("init")[:1], tasks.query.x)
    x = tasks.query.x[:1]
    alone, beside = net.apply(weights, x[..., :1]), net.apply(weights, x)[..., :1]
    if bool((alone - beside).abs().max() <= 1e-4 * (1.0 + beside.abs().max())):
        return 0.0
    shots = tasks.support if net.support_statistics else tasks.query
    return float(shots.count)


def _orders(bench: Bench, tasks: Episodes, word: str, size: int) -> Tensor:
    """Draw an order for each member; shape (member, size)."""
    each = tasks.members // tasks.replicates
    orders = [
        generator(rng.child(t, word)).permutation(size)
        for rng in bench.streams("probe")
        for t in range(each)
    ]
    return torch.from_numpy(np.stack(orders)).to(tasks.support.y.device)


def _shuffled(bench: Bench, tasks: Episodes) -> Episodes:
    """Give the support's labels to the wrong examples."""
    order = _orders(bench, tasks, "labels", tasks.support.count)
    y = tasks.support.y.gather(1, order)
    return replace(tasks, support=replace(tasks.support, y=y))


def _renamed(bench: Bench, tasks: Episodes) -> Episodes:
    """Give each class the index of another, in support and queries alike."""
    order = _orders(bench, tasks, "classes", tasks.outputs)
    support, query = (
        replace(shots, y=order.gather(1, shots.y)) for shots in _sets(tasks)
    )
    return replace(tasks, support=support, query=query)


def _one_by_one(entrant: Entrant, weights: Weights, tasks: Episodes) -> Iterator[Event]:
    """Ask some queries alone, and see whether their company mattered."""
    each = tasks.members // tasks.replicates
    few, count = min(FEWER, each), min(QUERIES, tasks.query.count)
    some = [r * each + t for r in range(tasks.replicates) for t in range(few)]
    picked = torch.linspace(0, tasks.query.count - 1, count).long()
    company = replace(tasks.take(some), replicates=tasks.replicates)
    out = yield from _answered(entrant, weights, company)
    beside = out[:, :, picked.to(out.device)].transpose(1, 2).flatten(0, 1)
    alone = _alone(tasks, some, picked)
    lone = (yield from _answered(entrant, weights, alone))[..., 0]
    scale = out.flatten(1).std(1, correction=0).repeat_interleave(count)
    moved = ~((lone - beside).abs().amax(1) <= MOVED * scale)
    errors = {"together_error": beside, "alone_error": lone}
    rows = {
        name: _errors(answer.unsqueeze(2), alone)[:, 0]
        for name, answer in errors.items()
    }
    for name, row in (rows | {"company_matters": moved.to(out.dtype)}).items():
        mean = row.view(-1, count).mean(1)
        yield _block(entrant.label, name, mean.cpu().numpy(), tasks)


def _alone(tasks: Episodes, some: list[int], picked: Tensor) -> Episodes:
    """Make a task of each picked query of some members."""
    count = len(picked)
    alone = tasks.take([member for member in some for _ in range(count)])
    at = picked.repeat(len(some)).to(tasks.query.y.device)

    def only(tensor: Tensor) -> Tensor:
        index = at.view(-1, *[1] * (tensor.dim() - 1))
        return tensor.take_along_dim(index, tensor.dim() - 1)

    return replace(alone, replicates=tasks.replicates, query=alone.query.map(only))


def _answered(entrant: Entrant, weights: Weights, tasks: Episodes) -> Answers:
    """Let a learner adapt and answer, a chunk at a time; (member, output, query)."""
    learner, parts = entrant.learner, []
    assert isinstance(learner, FewShotLearner)
    for members, replicates in chunks(tasks):
        some = tasks.take(members)
        meta = Meta(rows_of(weights, replicates), {})
        wanted = learner.answer_step(meta)
        theta = spread(meta.weights, some.members)
        found = learner.predict(theta, some)
        parts.append(next(p.query.detach() for p in found if p.step == wanted))
        yield Note(f"probe {entrant.label}", len(torch.cat(parts)) / tasks.members)
    return torch.cat(parts)


def _errors(out: Tensor, tasks: Episodes) -> Tensor:
    """Return 1 for a wrong answer, or the squared error; shape (member, query)."""
    if tasks.classes:
        wrong = (chosen_class(out) != tasks.query.y) | ~out.isfinite().all(1)
        return wrong.to(out.dtype)
    worst = WORST["query_mse"]
    square = (out[:, 0] - tasks.query.y).square()
    return torch.nan_to_num(square, worst, worst, worst).clamp(max=worst)
