"""Errors of answers that ignore the queries' inputs: who learns does better."""

import torch
from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import one_hot
from engine.protocol import EpisodeBatch
from engine.runner.probe_answers import query_errors


def blind_errors(tasks: EpisodeBatch) -> Tensor:
    """Return the mean error of answers by the support's targets alone.

    Args:
        tasks: Few-shot episodes, online or not.

    Returns:
        The share of wrong answers where each is the most frequent class of the support,
        or online the rarest so far, which is the most probable as classes come equally
        often in a round; the first of equals. For regression the squared error of the
        mean target so far, or 0 before the first. Shape (member,).
    """
    lengths = torch.tensor(tasks.context_lengths, device=tasks.support.y.device)
    if tasks.has_classes:
        targets = one_hot(tasks.support.y, tasks.outputs, tasks.support.x)
    else:
        targets = tasks.support.y.unsqueeze(2)
    none = torch.zeros_like(targets[:, :1])
    # Shape (member, output, query): what the leading examples of each query hold.
    sums = torch.cat([none, targets.cumsum(1)], 1)[:, lengths].mT
    if not tasks.has_classes:
        sums = sums / lengths.clamp(min=1)  # no example has no mean
    answers = -sums if tasks.has_classes and tasks.online else sums
    return query_errors(answers, tasks).mean(1)


def zero_errors(tasks: EpisodeBatch) -> Tensor:
    """Return the squared error of the answer 0, as of a net that was not trained.

    Args:
        tasks: Episodes of regression.

    Returns:
        Shape (member,).
    """
    return query_errors(torch.zeros_like(tasks.query.y).unsqueeze(1), tasks).mean(1)
