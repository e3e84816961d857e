"""Draw options in proportion to their frequency among good architectures."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from engine.algorithms.search.knowledge.knowledge_base import KnowledgeBase
from engine.algorithms.search.knowledge.queries import (
    option_shares,
    rank_architectures,
    restrict_to_space,
)
from engine.protocol import Evaluation, SearchBatch, Space


class Elite(NamedTuple):
    """The best architectures of each search so far.

    Args:
        codes: Shape (member, slot, position).
        value: −∞ in free slots; shape (member, slot).
    """

    codes: Int[np.ndarray, "member slot position"]
    value: Float[np.ndarray, "member slot"]


def empty_elite(tasks: SearchBatch, size: int) -> Elite:
    """Return an elite of free slots."""
    shape = (tasks.members, size)
    codes = np.zeros((*shape, len(tasks.space.radix)), np.int64)
    return Elite(codes, np.full(shape, -np.inf))


def insert_if_better(state: Elite, evaluation: Evaluation) -> Elite:
    """Replace the worst of the elite by an architecture that is better and not in it.

    Args:
        state: The elite; it is not changed.
        evaluation: What was just trained.
    """
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
) -> Float[np.ndarray, "member position option"]:
    """Return the Dirichlet prior counts of each option; (member, position, option).

    Args:
        base: One row per replicate.
        tasks: One search per member.
        known: Number of best known architectures to count.
        weight: Number of own architectures that their shares are worth.
        smoothing: Count added to every option.
    """
    each = tasks.members // len(base.seen)
    rows = []
    for r in range(len(base.seen)):
        best = restrict_to_space(tasks, rank_architectures(base, r)).codes[:known]
        share = option_shares(tasks.space, best, smoothing) if len(best) else 0.0
        rows.append(smoothing * _option_mask(tasks.space) + weight * share)
    return np.repeat(np.stack(rows), each, 0)


def option_probabilities(
    counts: Float[np.ndarray, "member position option"], state: Elite
) -> Float[np.ndarray, "member position option"]:
    """Return the probability of each option; (member, position, option).

    Args:
        counts: Prior counts; shape (member, position, option).
        state: The elite, each of which adds a count of 1.
    """
    options = np.arange(counts.shape[-1])
    taken = state.codes[..., None] == options
    there = np.isfinite(state.value)[:, :, None, None]
    table = counts + (taken & there).sum(1)
    return table / table.sum(-1, keepdims=True)


def draw_options(
    policy: Float[np.ndarray, "*batch position option"],
    uniform: Float[np.ndarray, "*batch position"],
) -> Int[np.ndarray, "*batch position"]:
    """Draw an option at each position; (…, position, option) → (…, position).

    Args:
        policy: Probabilities.
        uniform: Uniform in [0, 1); shape (…, position).

    >>> draw_options(np.array([[0.3, 0.7]]), np.array([0.5])).tolist()
    [1]
    """
    # Rounded: sums that should be equal may differ in the last bit between machines.
    below = policy.cumsum(-1)[..., :-1].round(12)
    return (uniform[..., None] >= below).sum(-1)


def _option_mask(space: Space) -> Float[np.ndarray, "position option"]:
    radix = np.array(space.radix)
    return (np.arange(radix.max()) < radix[:, None]).astype(float)
