"""Running batch statistics, updated from the batches of a meta-step.

Source: Antoniou, Edwards and Storkey (2019), arXiv:1810.09502, section 4: statistics
for each inner step.
Differs: they are averaged over a meta-step's tasks and updated once, after it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from engine.protocol import EpisodeBatch, ExampleBatch, Weights


class BatchStatistics(NamedTuple):
    """Statistics of one batch of support or queries at an inner step.

    Args:
        step: The inner step.
        is_query: Whether the batch is the queries.
        values: Means and variances by the names of the running ones; shape (member,
            channel) each. Empty for a net without running statistics.
    """

    step: int
    is_query: bool
    values: Weights


def batch_statistics(
    tasks: EpisodeBatch, weights: Weights, shots: ExampleBatch, step: int
) -> BatchStatistics:
    """Measure the statistics of one batch by a forward pass without gradients.

    Args:
        tasks: The episodes, or a chunk of them.
        weights: Weights of each member at that inner step; shape (member, …).
        shots: The support, or the queries.
        step: The inner step.
    """
    names = tasks.layout.names if tasks.layout.buffers else ()
    own = {name: weights[name].detach() for name in names if name in weights}
    values = tasks.net.statistics(own, shots.x, step) if own else {}
    return BatchStatistics(step, shots is tasks.query, values)


def update_statistics(
    weights: Weights,
    statistics: Sequence[BatchStatistics],
    replicates: int,
    rate: float = 0.1,
) -> Weights:
    """Move the running statistics toward those of the batches that were seen.

    A gradient learner collects a list during each outer step, while it adapts chunk by
    chunk; `outer_with_statistics` passes it here and puts the result in
    `Outer.statistics`.

    Args:
        weights: Meta-weights; running statistics are (replicate, step, channel).
        statistics: All statistics of this meta-step, chunks in the members' order;
            at an inner step those of the support, the queries, or both.
        replicates: How many replicates the members belong to.
        rate: Update rate of the exponential moving average (torch's `momentum`).

    Returns:
        The running statistics alone. A step without a batch keeps its old ones, and so
        does a replicate with a NaN. Steps beyond the last row count as the last.
    """
    moved: Weights = {}
    for name in statistics[0].values if statistics else ():
        old = weights[name]
        new = old.clone()
        for row, found in _group_by_step(statistics, name, old.shape[1]).items():
            mean = found.view(replicates, -1, old.shape[2]).mean(1)
            gone = torch.lerp(old[:, row], mean.to(old), rate)
            # A diverged replicate must not poison its statistics for good.
            sound = gone.isfinite().all(1, keepdim=True)
            new[:, row] = torch.where(sound, gone, old[:, row])
        moved[name] = new
    return moved


def _group_by_step(
    statistics: Sequence[BatchStatistics], name: str, rows: int
) -> dict[int, Tensor]:
    """Return each inner step's statistics, (member, channel), averaged over batches."""
    chunks: dict[tuple[int, bool], list[Tensor]] = {}
    for at in statistics:
        chunks.setdefault((at.step, at.is_query), []).append(at.values[name])
    # Chunks of one batch join along members; support and queries are averaged.
    looks: dict[int, list[Tensor]] = {}
    for (step, _), found in chunks.items():
        looks.setdefault(min(step, rows - 1), []).append(torch.cat(found))
    return {row: torch.stack(found).mean(0) for row, found in looks.items()}
