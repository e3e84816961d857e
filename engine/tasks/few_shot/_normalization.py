"""Normalization of inputs, by the statistics of the support or of meta-training.

It comes after all shifts, so that a shift acts on inputs in their original units.
"""

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np

from engine.contract.rng import Rng
from engine.protocol import Episode

EPISODES = 64


class Scale(NamedTuple):
    """Mean and standard deviation of each feature; pixels of a channel share theirs."""

    mean: np.ndarray
    deviation: np.ndarray


class EpisodeSource(Protocol):
    """A hashable family of episodes, as every part is."""

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Draw one episode."""


def normalize_episode(episode: Episode, family: EpisodeSource, how: str) -> Episode:
    """Return an episode whose inputs have mean 0 and standard deviation 1.

    Args:
        episode: The episode, after all shifts.
        family: The family that meta-training draws from.
        how: "none"; "support", by the episode's own support; "training", by 64
            episodes of meta-training, the same for all runs.
    """
    if how == "none":
        return episode
    scale = support_scale([episode]) if how == "support" else _training_scale(family)
    middle, spread = scale
    return replace(
        episode,
        x=(episode.x - middle) / spread,
        held_x=(episode.held_x - middle) / spread,
    )


def support_scale(episodes: list[Episode]) -> Scale:
    """Return mean and standard deviation over the supports of some episodes.

    Args:
        episodes: Of the same shape.

    Returns:
        float32, shape (feature, 1) each. All pixels of a channel share theirs; the
        deviation of a constant feature counts as 1.
    """
    x = np.concatenate([episode.x for episode in episodes], axis=1)
    shape = episodes[0].shape
    groups = shape[0] if len(shape) == 3 else len(x)
    # float64: many pixels are summed.
    each = x.reshape(groups, -1).astype(np.float64)
    spread = each.std(axis=1)
    found = each.mean(axis=1), np.where(spread > 1e-6, spread, 1.0)
    middle, wide = (np.repeat(value, len(x) // groups)[:, None] for value in found)
    return Scale(middle.astype(np.float32), wide.astype(np.float32))


@lru_cache(maxsize=16)
def _training_scale(family: EpisodeSource) -> Scale:
    streams = [Rng(0).child("scale", place) for place in range(EPISODES)]
    return support_scale([family.sample(stream, "train") for stream in streams])
