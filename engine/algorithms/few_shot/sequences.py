"""Episodes as sequences of tokens, for learners that read the support.

A support token is the features of an example, its target and a 1; a query token is its
features and zeros. The last channel says whether the target is known, so that a target
of 0 is not taken for a missing one, and no target of a query can reach a learner.
"""

from dataclasses import replace

import torch
from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import embed_examples, one_hot
from engine.contract.rng import Rng
from engine.protocol import EpisodeBatch, Weights, generator


def token_size(features: int, tasks: EpisodeBatch) -> int:
    """Return the number of channels of a token: features, target, known or not."""
    return features + tasks.outputs + 1


def encode_targets(tasks: EpisodeBatch) -> Tensor:
    """Return the targets of the support: one-hot classes, or values.

    Returns:
        Shape (member, output, example).
    """
    y = tasks.support.y
    if tasks.has_classes:
        return one_hot(y, tasks.outputs, tasks.support.x).mT
    return y.unsqueeze(1)


def embed_sequence(theta: Weights, tasks: EpisodeBatch) -> tuple[Tensor, Tensor]:
    """Embed support and queries by the net without its head.

    With batch normalization, or a net whose features depend on the support, a query of
    an online episode depends on the inputs of later examples, but not on their targets.

    Args:
        theta: Weights of each member, all of the body among them; shape (member, …).
        tasks: The episodes.

    Returns:
        Features of support and queries; shape (member, feature, example) each.
    """
    if not tasks.online:
        return embed_examples(theta, tasks)
    body = {name: theta[name] for name in tasks.body.names}
    # The queries are the support's own examples: one pass is enough.
    features = tasks.answer(body, tasks.support)
    return features, features


def make_tokens(
    support: Tensor, query: Tensor, tasks: EpisodeBatch
) -> tuple[Tensor, Tensor]:
    """Return the tokens of support and queries.

    Args:
        support: Features of the support; shape (member, feature, example).
        query: Features of the queries; shape (member, feature, query).
        tasks: The episodes, for the support's targets.

    Returns:
        Shape (member, token, example) and (member, token, query); see `token_size`.
    """
    known = torch.ones_like(support[:, :1])
    hidden = query.new_zeros(len(query), tasks.outputs + 1, query.shape[2])
    return (
        torch.cat([support, encode_targets(tasks), known], 1),
        torch.cat([query, hidden], 1),
    )


def context_positions(tasks: EpisodeBatch) -> Tensor:
    """Return the position of each query: that after the examples that it may use.

    Returns:
        int64, shape (query,).
    """
    return torch.tensor(tasks.context_lengths, device=tasks.support.x.device)


def visible_examples(tasks: EpisodeBatch) -> Tensor:
    """Return which support examples each query may use.

    Returns:
        Boolean, shape (query, example).
    """
    example = torch.arange(tasks.support.count, device=tasks.support.x.device)
    return example < context_positions(tasks).unsqueeze(1)


def shuffle_support(tasks: EpisodeBatch, rng: Rng) -> EpisodeBatch:
    """Return the episodes with their supports in a random order.

    That of online episodes is part of the task, and stays.

    Args:
        tasks: The episodes.
        rng: The step's stream; all episodes take the same order.
    """
    if tasks.online:
        return tasks
    order = generator(rng.child("order")).permutation(tasks.support.count)
    index = torch.from_numpy(order).to(tasks.support.x.device)
    return replace(tasks, support=tasks.support.map(lambda t: t[..., index]))
