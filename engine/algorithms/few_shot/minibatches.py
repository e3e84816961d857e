"""Minibatches of an episode, support and queries together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from engine.contract.rng import Rng
from engine.protocol import EpisodeBatch, ExampleBatch, generator


def split_minibatches(
    tasks: EpisodeBatch, rngs: Sequence[Rng], steps: int, size: int
) -> EpisodeBatch:
    """Return episodes whose support is the minibatches of all steps, in a row.

    Examples are shuffled and dealt out; when they run short they are shuffled anew,
    so that all are seen equally often.

    Args:
        tasks: The episodes, whose queries are learned from, too.
        rngs: One stream per replicate.
        steps: How many minibatches.
        size: Examples in each; 0, or more than there are, takes all.
    """
    count = tasks.support.count + tasks.query.count
    size = min(size, count) or count
    each = tasks.members // tasks.replicates
    rows = [
        shuffled_indices(rng.child("minibatches", t), count, steps * size)
        for rng in rngs
        for t in range(each)
    ]
    chosen = torch.from_numpy(np.stack(rows)).to(tasks.support.x.device)
    return replace(tasks, support=_pick_examples(tasks.support, tasks.query, chosen))


def minibatch(tasks: EpisodeBatch, step: int, steps: int) -> EpisodeBatch:
    """Return the episodes with a step's minibatch as support."""
    size = tasks.support.count // steps
    part = slice(step * size, (step + 1) * size)
    return replace(tasks, support=tasks.support.map(lambda tensor: tensor[..., part]))


def shuffled_indices(rng: Rng, count: int, length: int) -> np.ndarray:
    """Return numbers below `count`, shuffled pass by pass; shape (length,)."""
    draw = generator(rng)
    passes = [draw.permutation(count) for _ in range(-(-length // count))]
    return np.concatenate(passes)[:length]


def _pick_examples(
    support: ExampleBatch, query: ExampleBatch, chosen: Tensor
) -> ExampleBatch:
    """Pick examples of both, each member its own; `chosen` is (member, example)."""

    def pick_tensor(one: Tensor, two: Tensor) -> Tensor:
        both = torch.cat([one, two], -1)
        index = chosen if both.dim() == 2 else chosen.unsqueeze(1)
        return both.gather(-1, index.expand(*both.shape[:-1], -1))

    ids = None
    if support.ids is not None and query.ids is not None:
        ids = pick_tensor(support.ids, query.ids)
    return ExampleBatch(
        pick_tensor(support.x, query.x), pick_tensor(support.y, query.y), ids
    )
