"""Distances, class means, neighbors and attention in an embedding.

Features are of shape (member, feature, example) throughout.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.contract.parts import knob
from engine.protocol import EpisodeBatch, Weights
from engine.protocol.member_chunks import (
    broadcast_to_members,
    chunks,
    select_replicates,
)

DistanceMeasure = Literal["euclidean", "cosine"]
EXCLUDED = -1e30  # masks other classes' examples; finite, as −inf gives NaN gradients


def embed_examples(theta: Weights, tasks: EpisodeBatch) -> tuple[Tensor, Tensor]:
    """Embed support and queries by the net without its head.

    Args:
        theta: Weights of each member, all of the body among them; shape (member, …).
        tasks: The episodes.

    Returns:
        Features of support and queries; shape (member, feature, example) each.
    """
    body = {name: theta[name] for name in tasks.body.names}
    return tasks.answer(body, tasks.support), tasks.answer(body, tasks.query)


def one_hot(y: Tensor, ways: int, like: Tensor) -> Tensor:
    """Encode classes one-hot; (member, example) → (member, example, way).

    Args:
        y: Classes, from 0 to ways − 1; integers.
        ways: How many classes there are.
        like: A tensor of the wanted dtype.
    """
    return F.one_hot(y, ways).to(like.dtype)


def class_means(features: Tensor, y: Tensor, ways: int) -> Tensor:
    """Return each class's mean feature.

    Args:
        features: Shape (member, feature, example).
        y: Classes of the examples; shape (member, example).
        ways: How many classes there are.

    Returns:
        Shape (member, feature, way); 0 for a class without examples.
    """
    member = one_hot(y, ways, features)
    # A class without examples: 0 / 1, not 0 / 0.
    counts = member.sum(1).clamp(min=1.0)
    return torch.bmm(features, member) / counts.unsqueeze(1)


def squared_distances(centers: Tensor, query: Tensor) -> Tensor:
    """Return the squared distances ‖q − c‖².

    Args:
        centers: c; shape (member, feature, way).
        query: q; shape (member, feature, query).

    Returns:
        Shape (member, way, query).

    >>> one = torch.tensor([[[0.0], [3.0]]])
    >>> squared_distances(one, torch.tensor([[[4.0], [0.0]]])).item()
    25.0
    """
    # Expanded as c² + q² − 2cq: no tensor of shape (feature, way, query) is made.
    cross = torch.bmm(centers.mT, query)
    ends = centers.square().sum(1).unsqueeze(2) + query.square().sum(1).unsqueeze(1)
    return ends - 2 * cross


def cosines(centers: Tensor, query: Tensor) -> Tensor:
    """Return the cosine similarities of centers and queries.

    Args:
        centers: Shape (member, feature, way).
        query: Shape (member, feature, query).

    Returns:
        Shape (member, way, query).
    """
    return torch.bmm(F.normalize(centers, dim=1).mT, F.normalize(query, dim=1))


def initial_log_scale(replicates: int, scale: float, like: Tensor) -> Tensor:
    """Return the initial log of a learned scale; shape (replicate,)."""
    return like.new_full((replicates,), math.log(scale))


def apply_scale(log_scale: Tensor, similarities: Tensor) -> Tensor:
    """Multiply each member's similarities by its learned scale.

    Args:
        log_scale: The scale's logarithm, so that it stays positive; shape (member,).
        similarities: Shape (member, way, query).
    """
    return log_scale.exp().view(-1, 1, 1) * similarities


def attention_log_probs(scores: Tensor, y: Tensor, ways: int) -> Tensor:
    """Return the class log probabilities that attention over the support gives.

    Each class's attention is summed in log space, so that a class with hardly any
    attention keeps a finite log probability.

    Args:
        scores: Logits of the attention; shape (member, support, query).
        y: Classes of the support; shape (member, support).
        ways: How many classes there are.

    Returns:
        Shape (member, way, query); their exponentials sum to 1.
    """
    other = one_hot(y, ways, scores).mT.unsqueeze(3) == 0
    of_class = scores.unsqueeze(1).masked_fill(other, EXCLUDED)
    return of_class.logsumexp(2) - scores.logsumexp(1, keepdim=True)


def nearest_neighbors(
    closeness: Tensor, count: int, y: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the nearest support examples of each query.

    Args:
        closeness: Larger is nearer; shape (member, support, query).
        count: Number of neighbors; all examples if there are fewer.
        y: Classes or values of the support; shape (member, support).

    Returns:
        The neighbors' `y`, nearest first, shape (member, neighbor, query), and the
        weights of their votes, shape (neighbor, 1). Weights decrease so little that
        they only break ties.
    """
    order = closeness.sort(dim=1, descending=True, stable=True).indices[:, :count]
    answers = y.unsqueeze(2).expand(-1, -1, order.shape[2]).gather(1, order)
    # 1 + 1/4, 1 + 1/8, …: the surplus adds up to less than half a vote.
    rank = torch.arange(order.shape[1], device=y.device, dtype=closeness.dtype)
    return answers, 1 + 0.5 ** (rank.unsqueeze(1) + 2)


def neighbor_votes(closeness: Tensor, count: int, y: Tensor, ways: int) -> Tensor:
    """Return the log of each class's votes among the neighbors, smoothed by 1/ways.

    Args:
        closeness: Larger is nearer; shape (member, support, query).
        count: How many neighbors vote.
        y: Classes of the support; shape (member, support).
        ways: How many classes there are.

    Returns:
        Unnormalized, shape (member, way, query); ties go to the nearer neighbors.
    """
    answers, weight = nearest_neighbors(closeness, count, y)
    given = (one_hot(answers, ways, closeness) * weight.unsqueeze(2)).sum(1)
    return (given.mT + 1 / ways).log()


def feature_count(weights: Weights, tasks: EpisodeBatch) -> int:
    """Return the number of features of the net without its head.

    Args:
        weights: Meta-weights, all of the body among them; shape (replicate, …).
        tasks: Episodes, for an example to embed.
    """
    one = {name: weights[name][:1] for name in tasks.body.names}
    with torch.no_grad():
        return tasks.net.apply(one, tasks.support.x[:1]).shape[1]


def closeness(measure: DistanceMeasure, centers: Tensor, query: Tensor) -> Tensor:
    """Return how near the queries are to the centers; larger is nearer.

    Args:
        measure: Euclidean gives minus the squared distance, cosine the similarity.
        centers: Shape (member, feature, center).
        query: Shape (member, feature, query).

    Returns:
        Shape (member, center, query).
    """
    if measure == "cosine":
        return cosines(centers, query)
    return -squared_distances(centers, query)


def measure_knob(default: DistanceMeasure) -> DistanceMeasure:
    """Declare the distance measure."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Measure",
        help="Euclidean distance, or cosine similarity (ignores feature lengths).",
    )


def neighbors_knob() -> int:
    """Declare how many neighbors vote."""
    return knob(  # type: ignore[no-any-return]
        1,
        label="Neighbors k",
        unit="examples",
        low=1,
        high=100,
        help="How many of the nearest support examples vote.",
    )


def class_spread(weights: Weights, tasks: EpisodeBatch) -> Tensor:
    """Return the mean ratio of distances within classes to those between them.

    Args:
        weights: Meta-weights, a net without its head among them; (replicate, …).
        tasks: Episodes with classes.

    Returns:
        The mean over each replicate's tasks; shape (replicate,). Below 1, classes are
        tighter than they are far apart.
    """
    found = []
    for members, replicates in chunks(tasks):
        some = tasks.take(members)
        theta = broadcast_to_members(
            select_replicates(weights, replicates), some.members
        )
        with torch.no_grad():
            found.append(spread_ratio(*embed_examples(theta, some), some))
    return torch.cat(found).view(tasks.replicates, -1).mean(1)


def spread_ratio(support: Tensor, query: Tensor, tasks: EpisodeBatch) -> Tensor:
    """Return the mean ‖q − c‖² to the query's own class mean over that between means.

    Args:
        support: Features of the support; shape (member, feature, example).
        query: Features of the queries.
        tasks: The episodes, for the labels.

    Returns:
        Shape (member,).
    """
    centers = class_means(support, tasks.support.y, tasks.outputs)
    own = one_hot(tasks.query.y, tasks.outputs, query).mT
    # Queries, not support: distances to a mean that contains the point are too small.
    within = (squared_distances(centers, query) * own).sum((1, 2)) / query.shape[2]
    pairs = tasks.outputs * (tasks.outputs - 1)
    between = squared_distances(centers, centers).sum((1, 2)) / pairs
    return within / between
