"""Distances in an embedding, member first; features (member, feature, example)."""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.contract.parts import knob
from engine.protocol import EpisodeBatch, Weights
from engine.protocol.chunks import broadcast_to_members, chunks, select_replicates

DistanceMeasure = Literal["euclidean", "cosine"]
NOBODY = -1e30  # score of those that a class does not have


def embed_examples(theta: Weights, tasks: EpisodeBatch) -> tuple[Tensor, Tensor]:
    """Return what the net without its head makes of support and queries."""
    body = {name: theta[name] for name in tasks.body.names}
    return tasks.answer(body, tasks.support), tasks.answer(body, tasks.query)


def one_hot(y: Tensor, ways: int, like: Tensor) -> Tensor:
    """Return indicators of the classes; (member, example) → (member, example, way)."""
    return F.one_hot(y, ways).to(like.dtype)


def class_means(features: Tensor, y: Tensor, ways: int) -> Tensor:
    """Return each class's mean feature; shape (member, feature, way).

    A class without an example has the mean 0.
    """
    member = one_hot(y, ways, features)
    counts = member.sum(1).clamp(min=1.0)
    return torch.bmm(features, member) / counts.unsqueeze(1)


def squared_distances(centers: Tensor, query: Tensor) -> Tensor:
    """Return ‖q − c‖²; (member, feature, way) and query → (member, way, query).

    >>> one = torch.tensor([[[0.0], [3.0]]])
    >>> squared_distances(one, torch.tensor([[[4.0], [0.0]]])).item()
    25.0
    """
    cross = torch.bmm(centers.mT, query)
    ends = centers.square().sum(1).unsqueeze(2) + query.square().sum(1).unsqueeze(1)
    return ends - 2 * cross


def cosines(centers: Tensor, query: Tensor) -> Tensor:
    """Return cos(c, q); (member, feature, way) and query → (member, way, query)."""
    return torch.bmm(F.normalize(centers, dim=1).mT, F.normalize(query, dim=1))


def initial_log_scale(replicates: int, scale: float, like: Tensor) -> Tensor:
    """Return the logarithms of a scale that is to be learned; shape (replicate,)."""
    return like.new_full((replicates,), math.log(scale))


def apply_scale(log_scale: Tensor, similarities: Tensor) -> Tensor:
    """Multiply each member's similarities by its scale, which stays positive."""
    return log_scale.exp().view(-1, 1, 1) * similarities


def attention_log_probs(scores: Tensor, y: Tensor, ways: int) -> Tensor:
    """Return log probabilities of the classes that attention over a support gives.

    The logarithm of each class's summed attention is taken as a log-sum of the
    scores, so that a class that hardly anything attends to keeps a finite one.

    Args:
        scores: What the attention is a softmax of; shape (member, support, query).
        y: Classes of the support; shape (member, support).
        ways: How many classes there are.

    Returns:
        Shape (member, way, query); their exponentials sum to 1.
    """
    other = one_hot(y, ways, scores).mT.unsqueeze(3) == 0
    of_class = scores.unsqueeze(1).masked_fill(other, NOBODY)
    return of_class.logsumexp(2) - scores.logsumexp(1, keepdim=True)


def nearest_neighbors(
    closeness: Tensor, count: int, y: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the nearest support examples of each query.

    Args:
        closeness: More is nearer; shape (member, support, query).
        count: How many are wanted; all where there are fewer.
        y: Answers of the support; shape (member, support).

    Returns:
        Their answers, nearest first, shape (member, neighbor, query), and votes
        that fall from neighbor to neighbor by so little that they decide nothing
        but a tie; shape (neighbor, 1).
    """
    order = closeness.sort(dim=1, descending=True, stable=True).indices[:, :count]
    answers = y.unsqueeze(2).expand(-1, -1, order.shape[2]).gather(1, order)
    rank = torch.arange(order.shape[1], device=y.device, dtype=closeness.dtype)
    return answers, 1 + 0.5 ** (rank.unsqueeze(1) + 2)


def neighbor_votes(closeness: Tensor, count: int, y: Tensor, ways: int) -> Tensor:
    """Return log shares of the neighbors' votes, each class having 1/N more.

    Args:
        closeness: More is nearer; shape (member, support, query).
        count: How many neighbors vote.
        y: Classes of the support; shape (member, support).
        ways: How many classes there are.

    Returns:
        Shape (member, way, query), up to a constant; a tie goes to the nearer ones.
    """
    answers, weight = nearest_neighbors(closeness, count, y)
    given = (one_hot(answers, ways, closeness) * weight.unsqueeze(2)).sum(1)
    return (given.mT + 1 / ways).log()


def feature_count(weights: Weights, tasks: EpisodeBatch) -> int:
    """Return how many features a net without its head makes of an example."""
    one = {name: weights[name][:1] for name in tasks.body.names}
    with torch.no_grad():
        return tasks.net.apply(one, tasks.support.x[:1]).shape[1]


def closeness(measure: DistanceMeasure, centers: Tensor, query: Tensor) -> Tensor:
    """Return how near queries are; more is nearer; (member, center, query)."""
    if measure == "cosine":
        return cosines(centers, query)
    return -squared_distances(centers, query)


def measure_knob(default: DistanceMeasure) -> DistanceMeasure:
    """Declare what is near."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Measure",
        help="Euclidean distance, or the angle alone (cosine).",
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
        tasks: Episodes of classes.

    Returns:
        Shape (replicate,).
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
