"""Motifs of good and bad architectures: effects, intervals and p-values.

A motif is an option of a decision, a pair of options, or a subgraph of a cell. Its
effect is the mean accuracy with it minus that without it, after each task's mean is
subtracted; p-values are Holm-adjusted over all motifs. Effects describe the given
experiences: if a search chose these, they differ from those of random architectures,
and no effect is causal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Bools, Floats, Indices
from engine.stats.inference.feature_effects import (
    FailureRatios,
    FeatureEffects,
    failure_ratios,
    feature_effects,
    interaction_effects,
)
from engine.stats.inference.profiles import holm
from engine.stats.search.motif_features import (
    DecisionGrid,
    MotifFeature,
    find_motif_features,
)

FEWEST = 5  # experiences on each side of a comparison
WORST = 0.1  # share of the trained ones that counts as failed, besides real failures
SIGNIFICANCE = 0.05


class MotifEffect(NamedTuple):
    """A difference of mean accuracies.

    Args:
        mean: The difference, a share.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p: Two-sided.
        n: Experiences with the motif.
        rest: Experiences without it.
    """

    mean: float
    low: float
    high: float
    p: float
    n: int
    rest: int


class FailureShare(NamedTuple):
    """How common a motif is among failures and among the rest.

    Args:
        share: Share of failures that have it.
        elsewhere: Share of the other experiences that have it.
        ratio: The first over the second.
        low: Lower end of the ratio's 95 % interval.
        high: Upper end.
        p: One-sided.
    """

    share: float
    elsewhere: float
    ratio: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Motif:
    """A motif with its effects.

    Args:
        kind: option, anywhere, pair, path, series, parallel or shape.
        words: Its description.
        at: Positions and their options; empty if the motif names none.
        effect: Effect on accuracy; `p` is Holm-adjusted over all motifs.
        surplus: Interaction of a pair, beyond the sum of its two options; `p` is
            Holm-adjusted over all pairs. None for other kinds.
        failing: Association with failures; `p` is Holm-adjusted over all motifs.
        tasks: Effect on each task with enough experiences; `p` is not adjusted.
    """

    kind: str
    words: str
    at: tuple[tuple[int, int], ...]
    effect: MotifEffect
    surplus: MotifEffect | None
    failing: FailureShare
    tasks: dict[int, MotifEffect]

    @property
    def is_significant(self) -> bool:
        """Whether the effect is significant after correction over all motifs."""
        return self.effect.p < SIGNIFICANCE

    @property
    def universal_sign(self) -> int:
        """1 or −1 where every task's own interval is above or below 0; else 0.

        With fewer than two tasks it is 0.
        """
        if len(self.tasks) < 2:
            return 0
        if all(each.low > 0 for each in self.tasks.values()):
            return 1
        return -1 if all(each.high < 0 for each in self.tasks.values()) else 0


def find_motifs(
    codes: Indices,
    accuracy: Floats,
    options: Sequence[Sequence[str]],
    edges: Sequence[Sequence[int]] = (),
    *,
    positions: Sequence[str] = (),
    task: Indices | None = None,
) -> list[Motif]:
    """Find the motifs of some experiences, the largest effect first.

    Args:
        codes: Index of the option at each position; shape (experience, position).
        accuracy: Share, NaN where the training failed; shape (experience,).
        options: Names of each position's options.
        edges: Start and end node of each position; empty if there is no graph.
        positions: Names of the positions.
        task: Task of each experience; shape (experience,). By default all one task.

    Returns:
        Motifs that at least five experiences have and five lack; the effect is NaN
        where fewer than five of either were trained without failure.

    >>> codes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 5)
    >>> found = find_motifs(codes, codes[:, 0] * 0.1, [["x", "y"], ["p", "q"]])
    >>> found[0].words, round(found[0].effect.mean, 3), found[0].is_significant
    ('position 1 = x', -0.1, True)
    """
    grid = DecisionGrid.from_lists(options, edges, positions)
    codes, accuracy = np.asarray(codes, np.int64), np.asarray(accuracy, np.float64)
    task = np.zeros(len(codes), np.int64) if task is None else np.asarray(task)
    found = find_motif_features(codes, grid) if len(codes) else []
    trained = np.isfinite(accuracy)
    kept = [f for f in found if FEWEST <= f.mask.sum() <= len(codes) - FEWEST]
    if not kept:
        return []
    there = np.stack([f.mask for f in kept])
    every = _AllEffects(
        _drop_rare(
            feature_effects(there[:, trained], center_by_task(accuracy, task)[trained])
        ),
        _pair_interactions(
            kept, codes[trained], center_by_task(accuracy, task)[trained]
        ),
        failure_ratios(there, failure_mask(accuracy, task)),
        _effects_by_task(there[:, trained], accuracy[trained], task[trained]),
    )
    made = every.to_motifs(kept)
    return sorted(made, key=lambda m: -abs(np.nan_to_num(m.effect.mean)))


class _AllEffects(NamedTuple):
    """The effects of all motifs, in arrays, before they are split by motif."""

    whole: FeatureEffects
    pairs: dict[int, MotifEffect]
    failing: FailureRatios
    tasks: dict[int, FeatureEffects]

    def to_motifs(self, kept: list[MotifFeature]) -> list[Motif]:
        whole = self.whole._replace(p=holm(self.whole.p))
        failing = self.failing._replace(p=holm(self.failing.p))
        return [
            Motif(
                kind=feature.kind,
                words=feature.words,
                at=feature.at,
                effect=_effect_at(whole, i),
                surplus=self.pairs.get(i),
                failing=FailureShare(*(float(part[i]) for part in failing)),
                tasks={
                    t: _effect_at(each, i)
                    for t, each in self.tasks.items()
                    if min(each.n[i], each.rest[i]) >= FEWEST
                },
            )
            for i, feature in enumerate(kept)
        ]


def center_by_task(accuracy: Floats, task: Indices) -> Floats:
    """Return accuracies minus the mean of their task, plus the overall mean.

    Args:
        accuracy: Share, NaN where the training failed; shape (experience,).
        task: Task of each experience; same shape.

    Returns:
        Same shape; NaN stays NaN.

    >>> center_by_task(np.array([0.5, 0.75, 0.25, 0.5]), np.array([0, 0, 1,
    ...     1])).tolist()
    [0.375, 0.625, 0.375, 0.625]
    """
    trained = np.isfinite(accuracy)
    found = accuracy.astype(np.float64).copy()
    if trained.any():
        for t in np.unique(task[trained]):
            mine = trained & (task == t)
            found[mine] -= accuracy[mine].mean()
        found += accuracy[trained].mean()
    return found


def failure_mask(accuracy: Floats, task: Indices) -> Bools:
    """Return which trainings failed, or are among the worst tenth of their task.

    Args:
        accuracy: Share, NaN where the training failed; shape (experience,).
        task: Task of each experience; same shape.

    Returns:
        Shape (experience,).

    >>> bool(failure_mask(np.array([0.9, np.nan]), np.array([0, 0]))[1])
    True
    """
    failed = ~np.isfinite(accuracy)
    for t in np.unique(task):
        mine = (task == t) & np.isfinite(accuracy)
        if mine.sum() > 1:
            level = np.quantile(accuracy[mine], WORST)
            # If all are equally good, none of them is a failure.
            failed |= mine & (accuracy <= level) & (accuracy < accuracy[mine].max())
    return failed


def _drop_rare(found: FeatureEffects) -> FeatureEffects:
    """Replace effects that rest on too few experiences by NaN."""
    few = ~(np.fmin(found.n, found.rest) >= FEWEST) | np.isnan(found.n + found.rest)
    mean, low, high, p = (np.where(few, np.nan, part) for part in found[:4])
    return FeatureEffects(mean, low, high, p, found.n, found.rest)


def _pair_interactions(
    kept: list[MotifFeature], codes: Indices, values: Floats
) -> dict[int, MotifEffect]:
    at = [i for i, feature in enumerate(kept) if feature.kind == "pair"]
    if not at:
        return {}
    ends = np.array([kept[i].at for i in at])
    one, two = (ends[:, k, 1, None] == codes[:, ends[:, k, 0]].T for k in (0, 1))
    found = interaction_effects(one, two, values)
    found = found._replace(p=holm(found.p))
    return {i: _effect_at(found, row) for row, i in enumerate(at)}


def _effects_by_task(
    there: Bools, values: Floats, task: Indices
) -> dict[int, FeatureEffects]:
    return {
        int(t): feature_effects(there[:, task == t], values[task == t])
        for t in np.unique(task)
        if (task == t).sum() >= 2 * FEWEST
    }


def _effect_at(found: FeatureEffects, i: int) -> MotifEffect:
    mean, low, high, p, n, rest = (float(part[i]) for part in found)
    return MotifEffect(
        mean, low, high, p, int(np.nan_to_num(n)), int(np.nan_to_num(rest))
    )
