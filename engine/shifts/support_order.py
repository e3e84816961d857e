"""Support order: the support is sorted by class, or by the first input, in part.

Source: ours; learners that read the support as a sequence are compared on shuffled
orders, and papers rarely say which order their tests had.
Helps: to see what the order does. Learners that treat the support as a set answer the
same; those that read it step by step may forget what came first.
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Episode, Sample, SampledFamily, Setting, Shift, generator
from engine.shifts._applicability import why_no_inputs

TASKS = 16  # are looked at to tell whether supports are always sorted


@register("shift")
class SupportOrder(Shift):
    """A share s of the support, shuffled first, is sorted by class or by x_1."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "share sorted"
    severities: ClassVar[tuple[float, ...]] = (0.5, 1.0)
    top: ClassVar[float] = 1.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        if reason := why_no_inputs(setting):
            return reason
        assert isinstance(setting.family, SampledFamily)
        # Of several tasks: a short support can be sorted by chance.
        drawn = (setting.family.sample(Rng(seed), "test") for seed in range(TASKS))
        if all((np.diff(sort_keys(sample)) >= 0).all() for sample in drawn):
            return f"the support of {setting.family.name} is sorted already"
        return None

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Reorder the support of every task."""

        def warp(sample: Sample, rng: Rng) -> Sample:
            assert isinstance(sample, Episode)
            draw = generator(rng.child("shift", "support_order"))
            return _reorder(sample, partly_sorted(sort_keys(sample), severity, draw))

        return setting.with_warp(warp)


def sort_keys(sample: Sample) -> np.ndarray:
    """Return what a support is sorted by: its classes, or its first inputs."""
    return sample.y if sample.y.dtype.kind == "i" else sample.x[0]


def partly_sorted(
    keys: np.ndarray, share: float, draw: np.random.Generator
) -> np.ndarray:
    """Return an order in which a random share of the examples is sorted.

    Args:
        keys: What they are sorted by; shape (example,).
        share: How many are sorted among themselves; the others stay where a random
            shuffle put them.
        draw: Random numbers; the same at every share.

    Returns:
        Indices; shape (example,).

    >>> partly_sorted(np.array([2, 0, 1]), 1.0, np.random.default_rng(0)).tolist()
    [1, 2, 0]
    """
    order = draw.permutation(len(keys))
    chosen = np.sort(draw.permutation(len(keys))[: round(share * len(keys))])
    moved = order[chosen]
    order[chosen] = moved[keys[moved].argsort(kind="stable")]
    return order


def _reorder(episode: Episode, order: np.ndarray) -> Episode:
    """Return an episode with its support in this order; online, its queries, too."""
    ids = None if episode.ids is None else episode.ids[order]
    changed = replace(episode, x=episode.x[:, order], y=episode.y[order], ids=ids)
    if not episode.online:
        return changed
    held_ids = None if episode.held_ids is None else episode.held_ids[order]
    held_x, held_y = episode.held_x[:, order], episode.held_y[order]
    return replace(changed, held_x=held_x, held_y=held_y, held_ids=held_ids)
