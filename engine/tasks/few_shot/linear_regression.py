"""Linear functions: each task is a weight vector; the family of in-context learning.

Source: Garg, Tsipras, Liang and Valiant (2022), arXiv:2208.01066, section 3.
Differs: w has variance 1 / d instead of 1, so that targets have variance 1 whatever d
is; errors equal theirs, which are divided by d. Their d is 20, with 40 examples.
Helps: as tasks whose optimal predictor is known, to see whether a learner found it.
"""

from typing import ClassVar

import numpy as np

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Episode, generator
from engine.tasks import knobs
from engine.tasks.few_shot._family import EpisodeFamily


@register("family")
class LinearRegression(EpisodeFamily):
    """y = wᵀ x + σ n, w ~ N(0, I / d), x ~ N(0, I), n ~ N(0, 1)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    output: ClassVar[str] = "value"

    shots: int = knobs.shots(10)
    queries: int = knobs.queries(10)
    train_shots: int = knobs.train_shots()
    train_queries: int = knobs.train_queries()
    dimensions: int = knob(
        5,
        label="Dimensions d",
        unit="inputs",
        low=1,
        high=64,
        work="size",
        help="Length of x; d examples without noise determine w.",
    )
    noise: float = knob(
        0.0,
        label="Noise σ",
        low=0.0,
        high=5.0,
        help="Standard deviation on all targets, those of the queries included; "
        "without noise they have standard deviation 1.",
    )
    online: bool = knob(
        False,
        label="One by one",
        help="Whether the targets of the support are revealed one by one, and each is "
        "predicted from those before it; there are no other queries.",
    )

    def check(self) -> None:
        """Check that one by one there is an example to predict from another."""
        if not self.online:
            return
        for name, shots in (("shots", self.shots), ("train_shots", self.train_shots)):
            if shots == 1:
                raise Refused(
                    "One by one, a single example is predicted from none; choose at "
                    "least 2 shots",
                    name,
                )

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Draw weights and queries, then the support, each from a stream of its own."""
        weights = self._weights(rng)
        # Streams of their own: more shots leave the first ones and the queries.
        x, y = self._examples(rng.child("support"), weights, self.shots)
        asked = (x, y)
        if not self.online:
            asked = self._examples(rng.child("queries"), weights, self.queries)
        return Episode(
            x=x,
            y=y,
            held_x=asked[0],
            held_y=asked[1],
            outputs=1,
            shape=(self.dimensions,),
            online=self.online,
        )

    def best_error(self, rng: Rng, pool: str) -> float | None:
        """Return the squared error of the posterior mean on the queries."""
        episode = self.sample(rng, pool)
        if not self.online:
            return self._posterior_error(episode, episode.x.shape[1], slice(None))
        each = [
            self._posterior_error(episode, seen, slice(seen, seen + 1))
            for seen in range(episode.x.shape[1])
        ]
        return float(np.mean(each))

    def _weights(self, rng: Rng) -> np.ndarray:
        """Draw w; shape (input,)."""
        draw = generator(rng.child("weights"))
        return draw.standard_normal(self.dimensions) / np.sqrt(self.dimensions)

    def _examples(
        self, rng: Rng, weights: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw inputs, shape (input, example), and targets, shape (example,)."""
        x = generator(rng).standard_normal((count, self.dimensions)).T
        # A stream of its own, and drawn at any σ: another σ leaves everything else.
        noise = generator(rng.child("noise")).standard_normal(count)
        y = weights @ x + self.noise * noise
        return np.ascontiguousarray(x, np.float32), y.astype(np.float32)

    def _posterior_error(self, episode: Episode, seen: int, asked: slice) -> float:
        """Return the squared error of the posterior mean after some examples."""
        x = episode.x[:, :seen].T.astype(float)
        # The ridge is σ² over the prior's variance 1 / d. Without noise, least squares
        # returns the limit: the smallest w that fits.
        prior = self.noise * np.sqrt(self.dimensions) * np.eye(self.dimensions)
        targets = np.concatenate([episode.y[:seen], np.zeros(self.dimensions)])
        mean = np.linalg.lstsq(np.concatenate([x, prior]), targets, rcond=None)[0]
        wrong = episode.held_y[asked] - mean @ episode.held_x[:, asked]
        return float(np.square(wrong).mean())
