"""How well an embedding keeps classes apart."""

import torch
from torch import Tensor

from engine.inner.chunks import chunks, rows_of
from engine.inner.descend import spread
from engine.inner.embedding import class_means, embedded, one_hot, squared_distances
from engine.protocol import Episodes, Weights


def class_spread(weights: Weights, tasks: Episodes) -> Tensor:
    """Return the mean ratio of distances within classes to those between them.

    Args:
        weights: Meta-weights, a net without its head among them; (replicate, …).
        tasks: Episodes of classes.

    Returns:
        Shape (replicate,).
    """
    found = []
    for members, replicates in chunks(tasks):
        some = tasks.take(members)
        theta = spread(rows_of(weights, replicates), some.members)
        with torch.no_grad():
            found.append(spread_ratio(*embedded(theta, some), some))
    return torch.cat(found).view(tasks.replicates, -1).mean(1)


def spread_ratio(support: Tensor, query: Tensor, tasks: Episodes) -> Tensor:
    """Return ‖q − c‖² of the queries' own means c over that between means.

    Args:
        support: Features of the support; shape (member, feature, example).
        query: Features of the queries.
        tasks: The episodes, for their labels.

    Returns:
        Shape (member,).
    """
    centers = class_means(support, tasks.support.y, tasks.outputs)
    own = one_hot(tasks.query.y, tasks.outputs, query).mT
    within = (squared_distances(centers, query) * own).sum((1, 2)) / query.shape[2]
    pairs = tasks.outputs * (tasks.outputs - 1)
    between = squared_distances(centers, centers).sum((1, 2)) / pairs
    return within / between
