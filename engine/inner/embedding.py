"""Distances in an embedding, member first; features (member, feature, example)."""

import torch
import torch.nn.functional as F
from torch import Tensor


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
