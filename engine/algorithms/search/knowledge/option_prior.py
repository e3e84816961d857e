"""Options drawn as often as a few good architectures have them."""

from typing import NamedTuple

import numpy as np

from engine.algorithms.search.knowledge.base import Base
from engine.algorithms.search.knowledge.queries import fitting, prior, ranked
from engine.protocol import Space, Spaces, Told

Numbers = np.ndarray


class Elite(NamedTuple):
    """The best of each search so far; −∞ where a place is free.

    `codes` has shape (member, place, position), `value` (member, place).
    """

    codes: Numbers
    value: Numbers


def nobody(tasks: Spaces, size: int) -> Elite:
    """Return an elite without anyone."""
    shape = (tasks.members, size)
    codes = np.zeros((*shape, len(tasks.space.radix)), np.int64)
    return Elite(codes, np.full(shape, -np.inf))


def elected(state: Elite, told: Told) -> Elite:
    """Let an architecture take the worst's place, if it is better and not yet there."""
    members = np.arange(len(told.value))
    again = (
        (state.codes == told.codes[:, None]).all(-1) & np.isfinite(state.value)
    ).any(1)
    worst = state.value.argmin(1)
    wins = told.live & ~again & (told.value > state.value[members, worst])
    codes, value = state.codes.copy(), state.value.copy()
    codes[members[wins], worst[wins]] = told.codes[wins]
    value[members[wins], worst[wins]] = told.value[wins]
    return Elite(codes, value)


def counts_of(
    base: Base, tasks: Spaces, known: int, weight: float, smoothing: float
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
        best = fitting(tasks, ranked(base, r)).codes[:known]
        share = prior(tasks.space, best, smoothing) if len(best) else 0.0
        rows.append(smoothing * _there(tasks.space) + weight * share)
    return np.repeat(np.stack(rows), each, 0)


def favored(counts: Numbers, state: Elite) -> Numbers:
    """Return the probability of each option; (member, position, option)."""
    options = np.arange(counts.shape[-1])
    taken = state.codes[..., None] == options
    there = np.isfinite(state.value)[:, :, None, None]
    table = counts + (taken & there).sum(1)
    return table / table.sum(-1, keepdims=True)


def drawn(policy: Numbers, uniform: Numbers) -> Numbers:
    """Draw an option at each position; (…, position, option) → (…, position).

    Args:
        policy: Probabilities.
        uniform: Uniform in [0, 1); shape (…, position).

    >>> drawn(np.array([[0.3, 0.7]]), np.array([0.5])).tolist()
    [1]
    """
    below = policy.cumsum(-1)[..., :-1].round(12)
    return (uniform[..., None] >= below).sum(-1)


def _there(space: Space) -> Numbers:
    radix = np.array(space.radix)
    return (np.arange(radix.max()) < radix[:, None]).astype(float)
