"""Queries on a knowledge base: best architectures, option shares, task similarity."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from engine.algorithms.search.knowledge.knowledge_base import (
    KnowledgeBase,
    space_fingerprint,
    z_scores,
)
from engine.algorithms.search.predictors import rank_correlation
from engine.protocol import SearchBatch, Space


class RankedArchitectures(NamedTuple):
    """Distinct architectures of one replicate, best first.

    Args:
        codes: Shape (item, position).
        score: Shrunken mean z-score of each; shape (item,).
    """

    codes: Int[np.ndarray, "item position"]
    score: Float[np.ndarray, " item"]


def rank_architectures(base: KnowledgeBase, replicate: int) -> RankedArchitectures:
    """Return the known architectures of a replicate, best first, over all tasks.

    The score is the mean z-score over the tasks where an architecture was trained,
    shrunken toward 0: Σ z / (1 + count), so that one lucky training counts less than
    several good ones.

    Args:
        base: The knowledge base.
        replicate: Index of the replicate.
    """
    there = (base.filled[replicate] > 0) & np.isfinite(base.accuracy[replicate])
    codes, task = base.codes[replicate][there], base.task[replicate][there]
    if not len(codes):
        return RankedArchitectures(codes, np.zeros(0))
    score = z_scores(base.accuracy[replicate][there], task, base.moments[replicate])
    key = np.column_stack([codes, task])
    once = np.sort(np.unique(key, axis=0, return_index=True)[1])
    kinds, which = np.unique(codes[once], axis=0, return_inverse=True)
    which = which.reshape(-1)
    total, count = (np.bincount(which, w) for w in (score[once], np.ones(len(once))))
    shrunken = total / (1.0 + count)
    order = np.argsort(-shrunken, kind="stable")
    return RankedArchitectures(kinds[order], shrunken[order])


def best_architectures(
    base: KnowledgeBase, replicate: int, count: int
) -> Int[np.ndarray, "item position"]:
    """Return the codes of the best architectures, best first; (≤ count, position)."""
    return rank_architectures(base, replicate).codes[:count]


def option_shares(
    space: Space, codes: Int[np.ndarray, "item position"], smoothing: float
) -> Float[np.ndarray, "position option"]:
    """Return the smoothed share of each option at each position.

    Args:
        space: The space of the codes.
        codes: Shape (item, position).
        smoothing: α of a symmetric Dirichlet prior, added to the count of each option.

    Returns:
        Probabilities of shape (position, most options); 0 for options that a position
        does not have.

    >>> two = Space("two", ("a", "b"), (("x", "y"), ("p", "q", "r")))
    >>> option_shares(two, np.array([[0, 2], [0, 1]]), 1.0).round(2).tolist()
    [[0.75, 0.25, 0.0], [0.2, 0.4, 0.4]]
    """
    radix = np.array(space.radix)
    table = np.zeros((len(radix), int(radix.max())))
    for position, options in enumerate(radix):
        taken = np.bincount(codes[:, position], minlength=options)[:options]
        total = len(codes) + smoothing * options
        table[position, :options] = (taken + smoothing) / total
    return table


def choose_probes(known: RankedArchitectures, count: int) -> RankedArchitectures:
    """Return at most `count` architectures, evenly spaced from best to worst."""
    if len(known.score) <= count:
        return known
    at = np.linspace(0, len(known.score) - 1, count).round().astype(np.int64)
    return RankedArchitectures(known.codes[at], known.score[at])


def task_similarity(
    first: Float[np.ndarray, "*batch item"], second: Float[np.ndarray, "*batch item"]
) -> Float[np.ndarray, " *batch"]:
    """Return Spearman's correlation of two tasks over the same architectures.

    Args:
        first: Scores on one task; shape (…, item).
        second: Scores of the same architectures on the other; same shape.

    Returns:
        Shape (…,); −1 where one of them is constant, since nothing shows agreement.
    """
    return np.asarray(np.nan_to_num(rank_correlation(first, second), nan=-1.0))


def restrict_to_space(
    tasks: SearchBatch, known: RankedArchitectures
) -> RankedArchitectures:
    """Return the known architectures that the searched space has, in its codes."""
    codes = tasks.from_evaluator_codes(known.codes)
    inside = (codes >= 0).all(1)
    return RankedArchitectures(codes[inside], known.score[inside])


def space_mismatch(
    base_space: Int[np.ndarray, "replicate 8"], tasks: SearchBatch
) -> str | None:
    """Return the reason why a base does not fit these searches; None if it does.

    Args:
        base_space: Fingerprints of the base's space; shape (replicate, 8).
        tasks: The searches.
    """
    space = tasks.evaluator.space
    if (base_space == space_fingerprint(space)).all():
        return None
    return f"its knowledge base belongs to another space than {space.name}"
