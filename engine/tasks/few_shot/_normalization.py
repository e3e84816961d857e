"""Inputs on one scale: by what the support shows, or by what meta-training showed.

It comes after every change of a task's data, so that a shift acts on what it knows.
"""

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np

from engine.contract.rng import Rng
from engine.protocol import Episode

EPISODES = 64


class Scale(NamedTuple):
    """Middle and spread: one number of an image's channel, one of each feature."""

    mean: np.ndarray
    deviation: np.ndarray


class EpisodeSource(Protocol):
    """A family of episodes that can be hashed, as every part can."""

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Draw one episode."""


def normalize_episode(episode: Episode, family: EpisodeSource, how: str) -> Episode:
    """Return an episode whose inputs have mean 0 and deviation 1.

    Args:
        episode: What was drawn and changed.
        family: Where it is from.
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
    """Return middle and spread of supports; float32, shape (feature, 1).

    All pixels of a channel share theirs; what does not vary is left as wide as it is.
    """
    x = np.concatenate([episode.x for episode in episodes], axis=1)
    shape = episodes[0].shape
    groups = shape[0] if len(shape) == 3 else len(x)
    each = x.reshape(groups, -1).astype(np.float64)
    spread = each.std(axis=1)
    found = each.mean(axis=1), np.where(spread > 1e-6, spread, 1.0)
    middle, wide = (np.repeat(value, len(x) // groups)[:, None] for value in found)
    return Scale(middle.astype(np.float32), wide.astype(np.float32))


@lru_cache(maxsize=16)
def _training_scale(family: EpisodeSource) -> Scale:
    streams = [Rng(0).child("scale", place) for place in range(EPISODES)]
    return support_scale([family.sample(stream, "train") for stream in streams])
