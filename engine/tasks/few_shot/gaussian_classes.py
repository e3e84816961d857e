"""Few-shot Gaussians: N Gaussian classes around fresh centers in d dimensions.

Source: ours; the simplest few-shot classification whose optimal answer is known.
Helps: to check a learner in seconds: the nearest mean is optimal, so nothing beats
prototypes in input space.
"""

from functools import lru_cache
from typing import ClassVar

import numpy as np

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Episode, generator
from engine.tasks import knobs
from engine.tasks.few_shot._family import EpisodeFamily
from engine.tasks.few_shot._sampling import make_episode

CLASSES = {"train": 200, "validation": 100, "test": 100}


@register("family")
class GaussianClasses(EpisodeFamily):
    """x = c_k + σ n, n ~ N(0, I); c_k ~ N(0, I) in the useful dimensions, 0 else."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})

    ways: int = knobs.ways(5)
    shots: int = knobs.shots(1)
    queries: int = knobs.queries(15)
    train_ways: int = knobs.train_ways()
    train_shots: int = knobs.train_shots()
    train_queries: int = knobs.train_queries()
    dimensions: int = knob(
        16,
        label="Dimensions d",
        unit="inputs",
        low=1,
        high=256,
        work="size",
        help="Features of each example.",
    )
    useful: int = knob(
        4,
        label="Useful dimensions",
        unit="inputs",
        low=1,
        high=256,
        help="Dimensions in which the classes differ; the rest is pure noise.",
    )
    noise: float = knob(
        0.5,
        label="Width σ",
        low=0.0,
        high=10.0,
        help="Standard deviation around a center; more makes classes overlap.",
    )

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Choose classes of the pool, whose centers are fixed, and draw points."""
        draw = generator(rng.child("data"))
        centers = _centers(pool, self.dimensions, self.useful)
        chosen = draw.permutation(len(centers))[: self.ways]
        queries = draw.standard_normal((self.ways, self.queries, self.dimensions))
        # A stream per class: more shots or ways leave the earlier ones unchanged.
        support = [
            generator(rng.child("support", way)).standard_normal(
                (self.shots, self.dimensions)
            )
            for way in range(self.ways)
        ]
        away = np.concatenate([np.stack(support), queries], axis=1)
        points = centers[chosen][:, None] + self.noise * away
        known = CLASSES["train"]
        return make_episode(
            points.astype(np.float32), chosen, self.shots, (self.dimensions,), known
        )

    def best_error(self, rng: Rng, pool: str) -> float | None:
        """Return the share of queries that lie nearer to another class's center."""
        episode = self.sample(rng, pool)
        assert episode.ids is not None
        centers = _centers(pool, self.dimensions, self.useful)
        chosen = np.asarray([episode.ids[episode.y == k][0] for k in range(self.ways)])
        # Equal spherical classes: the nearest true center is the Bayes classifier.
        apart = episode.held_x.T[:, None] - centers[chosen]
        nearest = np.square(apart).sum(axis=2).argmin(axis=1)
        return float((nearest != episode.held_y).mean())


@lru_cache(maxsize=16)
def _centers(pool: str, dimensions: int, useful: int) -> np.ndarray:
    """Draw the fixed centers of a pool's classes; shape (class, dimension)."""
    draw = generator(Rng(0).child("gaussian_classes", pool))
    centers = draw.standard_normal((CLASSES[pool], dimensions))
    centers[:, useful:] = 0.0
    return centers
