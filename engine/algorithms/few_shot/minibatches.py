"""Minibatches drawn from an episode's support and queries together (Reptile)."""

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
    """Return episodes whose support is the concatenated minibatches of all steps.

    Examples are drawn without replacement and reshuffled once all are used, so that
    all are seen equally often.

    Args:
        tasks: The episodes; queries are trained on, too.
        rngs: One stream per replicate.
        steps: Number of minibatches.
        size: Examples in each; 0, or more than there are, takes all.

    Returns:
        Episodes with steps × size support examples; the queries are unchanged.
    """
    count = tasks.support.count + tasks.query.count
    size = min(size, count) or count
    each = tasks.members // tasks.replicates
    # One stream per task, so that more tasks leave the earlier ones unchanged.
    rows = [
        shuffled_indices(rng.child("minibatches", t), count, steps * size)
        for rng in rngs
        for t in range(each)
    ]
    chosen = torch.from_numpy(np.stack(rows)).to(tasks.support.x.device)
    return replace(tasks, support=_pick_examples(tasks.support, tasks.query, chosen))


def minibatch(tasks: EpisodeBatch, step: int, steps: int) -> EpisodeBatch:
    """Return the episodes with one step's minibatch as support.

    Args:
        tasks: What `split_minibatches` returned.
        step: The inner step, from 0 on.
        steps: How many minibatches the support holds.
    """
    size = tasks.support.count // steps
    part = slice(step * size, (step + 1) * size)
    return replace(tasks, support=tasks.support.map(lambda tensor: tensor[..., part]))


def shuffled_indices(rng: Rng, count: int, length: int) -> np.ndarray:
    """Return shuffled indices below `count`, pass after pass; shape (length,)."""
    draw = generator(rng)
    # −(−a // b) rounds up.
    passes = [draw.permutation(count) for _ in range(-(-length // count))]
    return np.concatenate(passes)[:length]


def _pick_examples(
    support: ExampleBatch, query: ExampleBatch, chosen: Tensor
) -> ExampleBatch:
    """Pick examples from both for each member; `chosen` is (member, example)."""

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
