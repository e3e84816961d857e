"""Personalization: each task is a user who rates items by a preference of their own.

Source: ours; preferences as a few shared factors are the matrix factorization of
Salakhutdinov and Mnih (2008), "Probabilistic matrix factorization", NIPS.
Differs: items have known features, as in linear bandits, so that a preference is a
vector of weights; the factors are fixed and the same in all runs.
Helps: as tasks that share structure without being alike: with fewer ratings than
features, only what users have in common tells a preference, and the exact posterior,
drawn as a line, says how much there is to know.
"""

from functools import lru_cache
from typing import ClassVar

import numpy as np

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Episode, generator
from engine.tasks import knobs
from engine.tasks.few_shot._family import EpisodeFamily
from engine.tasks.few_shot._functions_1d import draw_noise

JITTER = 1e-10  # variance of exact ratings, so that their system can be solved


@register("family")
class Personalization(EpisodeFamily):
    """y = w·x + σ n, w = √(1 − v) B z + √v e; x, z, e, n ~ N(0, I), rows of B unit."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    output: ClassVar[str] = "value"

    shots: int = knobs.shots(5)
    queries: int = knobs.queries(15)
    train_shots: int = knobs.train_shots()
    train_queries: int = knobs.train_queries()
    features: int = knob(
        8,
        label="Item features d",
        unit="inputs",
        low=1,
        high=128,
        work="size",
        help="Features of each item; a user has a weight for each.",
    )
    rank: int = knob(
        2,
        label="Shared factors r",
        unit="factors",
        low=1,
        high=128,
        help="Dimensions of what users have in common; at most as many as features.",
    )
    own: float = knob(
        0.05,
        label="Own taste v",
        unit="of the variance",
        low=0.0,
        high=1.0,
        help="Share of a preference that no other user tells anything about; with 1, "
        "users have nothing in common.",
    )
    noise: float = knob(
        0.1,
        label="Noise σ",
        low=0.0,
        high=5.0,
        help="Standard deviation of the support's ratings; queries are exact.",
    )

    def check(self) -> None:
        """Check that the factors are not more than the features."""
        if self.rank > self.features:
            raise Refused(
                f"There are {self.rank} shared factors of {self.features} features; "
                f"choose at most {self.features}",
                "rank",
            )

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Draw a user, then the items; pools differ only by their streams."""
        draw = generator(rng.child("data"))
        shared = _factors(self.features, self.rank) @ draw.standard_normal(self.rank)
        own = draw.standard_normal(self.features)
        taste = np.sqrt(1.0 - self.own) * shared + np.sqrt(self.own) * own
        # Queries first, so that more shots leave them and the first shots unchanged.
        items = draw.standard_normal((self.queries + self.shots, self.features))
        ratings = (items @ taste).astype(np.float32)
        y = ratings[self.queries :]
        if self.noise:
            apart = generator(rng.child("noise"))
            y = y + draw_noise(apart, self.noise, self.shots)
        x = items.astype(np.float32).T
        return Episode(
            x=x[:, self.queries :],
            y=y,
            held_x=x[:, : self.queries],
            held_y=ratings[: self.queries],
            outputs=1,
            shape=(self.features,),
        )

    def best_error(self, rng: Rng, pool: str) -> float | None:
        """Return the mean squared error of the exact posterior's mean."""
        episode = self.sample(rng, pool)
        prior = self.covariance()
        seen = episode.x.astype(np.float64)
        noise = np.maximum(self.noise**2, JITTER) * np.eye(self.shots)
        gain = np.linalg.solve(seen.T @ prior @ seen + noise, episode.y)
        taste = prior @ seen @ gain
        away = episode.held_x.T.astype(np.float64) @ taste - episode.held_y
        return float(np.square(away).mean())

    def covariance(self) -> np.ndarray:
        """Return the covariance of preferences; shape (feature, feature)."""
        factors = _factors(self.features, self.rank)
        own = self.own * np.eye(self.features)
        return (1.0 - self.own) * (factors @ factors.T) + own


@lru_cache(maxsize=16)
def _factors(features: int, rank: int) -> np.ndarray:
    """Draw B, the same in all runs: rows of length 1; shape (feature, factor)."""
    drawn = generator(Rng(0).child("personalization")).standard_normal((features, rank))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))
