"""Gaussian sequences: points of N Gaussian classes, each label revealed one step late.

Source: ours, in the protocol of Santoro et al. (2016), arXiv:1605.06065, section 3; the
smallest task in which a label must be bound to what it belongs to.
Helps: to see in minutes what a learner remembers. The best predictor is known; with the
default knobs it classifies 35 % of the first presentations of a class, 86 % of the
second and 97 % of the tenth.
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
from engine.tasks.few_shot._online import (
    ROUND,
    Labels,
    choose_online_classes,
    labels_knob,
    online_episode,
    presentation_numbers,
    presentation_order,
    presentations_knob,
)

CLASSES = {"train": 200, "validation": 100, "test": 100}


@register("family")
class GaussianSequences(EpisodeFamily):
    """x_t = c_k + n, k = y_t, n ~ N(0, I), c_k ~ N(0, (s²/d) I); y_t with x_{t+1}."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})

    ways: int = knobs.ways(5)
    presentations: int = presentations_knob()
    labels: Labels = labels_knob()
    dimensions: int = knob(
        16,
        label="Dimensions d",
        unit="inputs",
        low=1,
        high=256,
        work="size",
        help="Features of each example.",
    )
    separation: float = knob(
        4.0,
        label="Separation s",
        unit="standard deviations",
        low=0.0,
        high=100.0,
        help="Root mean square distance of the class centers from their common mean, "
        "in standard deviations of a class along one dimension.",
    )

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Choose classes of the pool, whose centers are fixed, and draw their order."""
        draw = generator(rng.child("data"))
        ids = choose_online_classes(draw, CLASSES[pool], self.ways, self.labels)
        order = presentation_order(rng, self.ways, self.presentations)
        turn = presentation_numbers(order)
        # A stream per class: a longer sequence begins with the shorter one.
        size = int(turn.max()) + 1, self.dimensions
        away = np.stack(
            [
                generator(rng.child("points", way)).standard_normal(size)
                for way in range(self.ways)
            ]
        )
        points = self._centers(pool)[ids[order]] + away[order, turn]
        x = np.ascontiguousarray(points.T, dtype=np.float32)
        shape = (self.dimensions,)
        return online_episode(x, order, ids, shape, CLASSES["train"])

    def best_error(self, rng: Rng, pool: str) -> float | None:
        """Return the error of Bayes' rule, which knows the distributions of the task.

        It knows how often each class is still to come in a round, but no center. With
        fixed labels centers can be known, and then this is no bound.
        """
        if self.labels == "fixed":
            return None
        episode = self.sample(rng, pool)
        answers = bayes_answers(
            episode.x.T, episode.y, self.ways, self.separation**2 / self.dimensions
        )
        return float((answers != episode.y).mean())

    def _centers(self, pool: str) -> np.ndarray:
        return self.separation * _unit_centers(pool, self.dimensions)


@lru_cache(maxsize=16)
def _unit_centers(pool: str, dimensions: int) -> np.ndarray:
    """Draw the fixed centers of a pool at separation 1; shape (class, dimension)."""
    draw = generator(Rng(0).child("gaussian_sequences", pool))
    return draw.standard_normal((CLASSES[pool], dimensions)) / np.sqrt(dimensions)


def bayes_answers(
    x: np.ndarray, y: np.ndarray, ways: int, variance: float
) -> np.ndarray:
    """Return the most probable class of each example, given those before it.

    Centers have a normal prior, so each class predicts a normal distribution, whose
    mean shrinks that of its examples.

    Args:
        x: Examples in the order of presentation; shape (step, dimension).
        y: Their classes; shape (step,).
        ways: Number of classes.
        variance: Variance of the centers along each dimension; that of points around
            their center is 1.

    Returns:
        Classes; shape (step,).
    """
    total = np.zeros((ways, x.shape[1]))
    count, seen = np.zeros(ways), np.zeros(ways)
    answers = np.zeros(len(y), np.int64)
    for t, point in enumerate(x):
        if t % (ROUND * ways) == 0:
            seen[:] = 0.0  # in a new round all classes come equally often again
        spread = 1.0 + variance / (1.0 + variance * count)
        mean = variance / (1.0 + variance * count)[:, None] * total
        distance = np.square(point - mean).sum(1)
        log_likelihood = -0.5 * (distance / spread + len(point) * np.log(spread))
        # A class that is exhausted in this round has probability 0.
        left = np.maximum(ROUND - seen, 1e-300)
        answers[t] = (log_likelihood + np.log(left)).argmax()
        total[y[t]] += point
        count[y[t]] += 1
        seen[y[t]] += 1
    return answers
