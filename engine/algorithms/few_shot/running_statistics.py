"""Running statistics come closer to what the batches of a lesson showed.

Source: Antoniou, Edwards and Storkey (2019), arXiv:1810.09502, section 4: statistics
for each inner step.
Differs: they are averaged over a meta-step's tasks and moved once, after it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from engine.protocol import EpisodeBatch, ExampleBatch, Weights


class BatchStatistics(NamedTuple):
    """What a net's batches of support or queries looked like at an inner step.

    `values` are means and variances by the names of the running ones; shape
    (member, channel) each. A net that keeps none has none.
    """

    step: int
    is_query: bool
    values: Weights


def batch_statistics(
    tasks: EpisodeBatch, weights: Weights, shots: ExampleBatch, step: int
) -> BatchStatistics:
    """Look at the statistics of one batch: a pass through the net, without gradient.

    Args:
        tasks: The episodes, or a chunk of them.
        weights: Of each member, at that inner step.
        shots: The support, or the queries.
        step: Inner step that the weights are of.
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
    """Move the running statistics toward what was seen; file it as `Outer.settled`.

    A gradient learner keeps a list for each outer step, adds to it while it adapts,
    chunk by chunk, and gives it here:

        seen = []

        def lost(theta, some):
            for at in inner_steps(some, theta, rule, k, order=2):
                shots = some.query if at.step == k else some.support
                seen.append(statistics_seen(some, at.weights, shots, at.step))
            return some.loss(at.weights, some.query, k)

        outer = outer_gradient(meta, tasks, lost)
        moved = settled(meta.weights, seen, tasks.replicates)
        return outer._replace(settled=moved)

    Args:
        weights: Meta-weights; running statistics are (replicate, step, channel).
        statistics: All statistics of this meta-step, chunks in the members' order;
            at an inner step those of the support, the queries, or both.
        replicates: How many trainings the members belong to.
        rate: Share of the way that is gone.

    Returns:
        The running statistics alone. A step that was not seen keeps its own; so does
        a replicate in which something is no number. Steps beyond the last that has
        statistics count as that one.
    """
    moved: Weights = {}
    for name in statistics[0].values if statistics else ():
        old = weights[name]
        new = old.clone()
        for row, found in _group_by_step(statistics, name, old.shape[1]).items():
            mean = found.view(replicates, -1, old.shape[2]).mean(1)
            gone = torch.lerp(old[:, row], mean.to(old), rate)
            sound = gone.isfinite().all(1, keepdim=True)
            new[:, row] = torch.where(sound, gone, old[:, row])
        moved[name] = new
    return moved


def _group_by_step(
    statistics: Sequence[BatchStatistics], name: str, rows: int
) -> dict[int, Tensor]:
    """Return what was seen of each inner step, (member, channel), a mean over looks."""
    chunks: dict[tuple[int, bool], list[Tensor]] = {}
    for at in statistics:
        chunks.setdefault((at.step, at.is_query), []).append(at.values[name])
    looks: dict[int, list[Tensor]] = {}
    for (step, _), found in chunks.items():
        looks.setdefault(min(step, rows - 1), []).append(torch.cat(found))
    return {row: torch.stack(found).mean(0) for row, found in looks.items()}
