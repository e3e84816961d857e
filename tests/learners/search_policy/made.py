"""Small searches whose every architecture can be written down."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from engine.contract.rng import Rng
from engine.nets.mlp import Mlp
from engine.protocol import (
    BatchSpec,
    Learner,
    Meta,
    OuterStepContext,
    SearchBatch,
    Setting,
    Space,
)
from engine.protocol.member_chunks import join_segments
from engine.tasks.search._table_evaluator import TableEvaluator
from engine.tasks.search.nk_landscape import NkLandscape

TOY = Space("toy", ("a", "b", "c"), (("x", "y"), ("p", "q", "r"), ("u", "v")))
EVERY = TOY.codes(np.arange(TOY.size))
REWARD = 0.5 + 0.4 * np.sin(7.0 * np.arange(TOY.size))


def landscapes(
    members: int, horizon: int, pool: str = "test", replicates: int = 1, **knobs: Any
) -> SearchBatch:
    """Draw searches of small NK landscapes."""
    family = NkLandscape(**{"size": 4, "choices": 3, "blur": 0.0, **knobs})
    setting = Setting(family, Mlp(), horizon, trained_family=family)
    rngs = [
        Rng(5).child(pool, r, t)
        for r in range(replicates)
        for t in range(members // replicates)
    ]
    return family.draw(setting, rngs, pool, BatchSpec(replicates, torch.device("cpu")))


def opposed(tasks: SearchBatch) -> SearchBatch:
    """Return tasks of two kinds that want opposite options; a feature tells which."""
    assert isinstance(tasks.evaluator, TableEvaluator)
    table, space = tasks.evaluator.table, tasks.space
    kind = np.arange(table.score.shape[1]) % 2
    hill = space.codes(np.arange(space.size)).sum(1)[:, None] / 8
    score = np.where(kind, hill, 1 - hill).astype(np.float32)
    known = replace(
        table,
        score=score,
        signal=np.broadcast_to(score[..., None, None], table.signal.shape),
        features=kind[:, None].astype(np.float32),
    )
    return replace(tasks, evaluator=TableEvaluator(known))


def traces(
    learner: Learner, tasks: SearchBatch, meta: Meta | None = None
) -> dict[str, np.ndarray]:
    """Search to the end; return the traces."""
    meta = meta or learner.init([Rng(1)], tasks)
    found = join_segments(list(learner.adapt(meta, tasks))).traces
    return {name: trace.numpy() for name, trace in found.items()}


def schooled(
    learner: Learner, lessons: Sequence[SearchBatch]
) -> tuple[Meta, list[Any]]:
    """Meta-train by hand; return the end and what each lesson told."""
    meta = learner.init(
        [Rng(2).child(r) for r in range(lessons[0].replicates)], lessons[0]
    )
    told = []
    for step, tasks in enumerate(lessons):
        streams = tuple(Rng(3).child(r, step) for r in range(tasks.replicates))
        step_context = OuterStepContext(step, 0, 1, streams, step / len(lessons))
        outer = learner.outer(meta, tasks, step_context, None)  # type: ignore[arg-type]
        meta = Meta({**meta.weights, **(outer.weights or {})}, outer.memory)
        told.append(outer.info)
    return meta, told


def surely(gap: np.ndarray) -> float:
    """Return the mean's lower end: two standard errors below it."""
    return float(gap.mean() - 2.0 * gap.std(ddof=1) / np.sqrt(gap.size))


def steep(function: Any, at: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Return the slope of a function of an array by central differences."""
    found = np.zeros_like(at)
    for i in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[i] += step
        down[i] -= step
        found[i] = (function(up) - function(down)) / (2 * step)
    return found
