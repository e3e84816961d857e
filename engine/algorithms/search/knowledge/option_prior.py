"""Options drawn as often as a few good architectures have them."""

from typing import NamedTuple

import numpy as np

from engine.algorithms.search.knowledge.knowledge_base import KnowledgeBase
from engine.algorithms.search.knowledge.queries import (
    option_shares,
    rank_architectures,
    restrict_to_space,
)
from engine.protocol import Evaluation, SearchBatch, Space

Numbers = np.ndarray


class Elite(NamedTuple):
    """The best of each search so far; −∞ where a place is free.

    `codes` has shape (member, place, position), `value` (member, place).
    """

    codes: Numbers
    value: Numbers


def empty_elite(tasks: SearchBatch, size: int) -> Elite:
    """Return an elite without anyone."""
    shape = (tasks.members, size)
    codes = np.zeros((*shape, len(tasks.space.radix)), np.int64)
    return Elite(codes, np.full(shape, -np.inf))


def insert_if_better(state: Elite, evaluation: Evaluation) -> Elite:
    """Let an architecture take the worst's place, if it is better and not yet there."""
    members = np.arange(len(evaluation.value))
    again = (
        (state.codes == evaluation.codes[:, None]).all(-1) & np.isfinite(state.value)
    ).any(1)
    worst = state.value.argmin(1)
    wins = evaluation.live & ~again & (evaluation.value > state.value[members, worst])
    codes, value = state.codes.copy(), state.value.copy()
    codes[members[wins], worst[wins]] = evaluation.codes[wins]
    value[members[wins], worst[wins]] = evaluation.value[wins]
    return Elite(codes, value)


def prior_counts(
    base: KnowledgeBase, tasks: SearchBatch, known: int, weight: float, smoothing: float
) -> Numbers:
    """Return what each option counts before the search; (member, position, option).

    Args:
        base: One row per replicate.
        tasks: What is searched.
        known: How many of the best known architectures are looked at.
        weight: How many architectures their shares count as.
        smoothing: Count of every option that there is.
    """
    each = tasks.members // len(base.seen)
    rows = []
    for r in range(len(base.seen)):
        best = restrict_to_space(tasks, rank_architectures(base, r)).codes[:known]
        share = option_shares(tasks.space, best, smoothing) if len(best) else 0.0
        rows.append(smoothing * _option_mask(tasks.space) + weight * share)
    return np.repeat(np.stack(rows), each, 0)


def option_probabilities(counts: Numbers, state: Elite) -> Numbers:
    """Return the probability of each option; (member, position, option)."""
    options = np.arange(counts.shape[-1])
    taken = state.codes[..., None] == options
    there = np.isfinite(state.value)[:, :, None, None]
    table = counts + (taken & there).sum(1)
    return table / table.sum(-1, keepdims=True)


def draw_options(policy: Numbers, uniform: Numbers) -> Numbers:
    """Draw an option at each position; (…, position, option) → (…, position).

    Args:
        policy: Probabilities.
        uniform: Uniform in [0, 1); shape (…, position).

    >>> draw_options(np.array([[0.3, 0.7]]), np.array([0.5])).tolist()
    [1]
    """
    below = policy.cumsum(-1)[..., :-1].round(12)
    return (uniform[..., None] >= below).sum(-1)


def _option_mask(space: Space) -> Numbers:
    radix = np.array(space.radix)
    return (np.arange(radix.max()) < radix[:, None]).astype(float)
