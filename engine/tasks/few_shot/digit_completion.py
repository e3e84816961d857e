"""Digit completion: the gray values of one image from a few of its pixels.

Source: Garnelo et al. (2018), arXiv:1807.01613, section 4.2, for images as functions of
the pixel's place; the digits of Alpaydin and Kaynak (1998), as in scikit-learn.
Differs: 8 × 8 pixels, not MNIST's 28 × 28; queries are other pixels than the support's.
The 1,797 images are split once, so that each is in one pool; pools share their writers.
Helps: two-dimensional functions without a formula, of ten kinds: what is shared by
digits must be learned, as smoothness alone does not complete a digit.
"""

from functools import lru_cache
from typing import ClassVar

import numpy as np

from engine.contract.errors import Refused
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.data.sources.sklearn_sets import load_bundled_set
from engine.protocol import Episode, generator
from engine.tasks import knobs
from engine.tasks.few_shot._family import EpisodeFamily, with_training_sizes

SIDE = 8
BRIGHTEST = 16  # gray values are whole numbers up to this
POOLS = ("train", "validation", "test")
CUTS = (1200, 1400)  # images for meta-training and validation; the others are for tests


@register("family")
class DigitCompletion(EpisodeFamily):
    """x = (row, column) in [−1, 1]²; y = gray value in [0, 1], 1 is ink; one image."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    output: ClassVar[str] = "value"
    pooled: ClassVar[bool] = True

    shots: int = knobs.shots(10, high=SIDE * SIDE - 1)
    queries: int = knobs.queries(32, high=SIDE * SIDE - 1)
    train_shots: int = knobs.train_shots()
    train_queries: int = knobs.train_queries()

    def check(self) -> None:
        """Check that an image has enough pixels for support and queries."""
        for sized in (self, with_training_sizes(self)):
            if sized.shots + sized.queries > SIDE * SIDE:
                raise Refused(
                    f"{sized.shots} shots and {sized.queries} queries are "
                    f"{sized.shots + sized.queries} pixels; an image has {SIDE * SIDE}",
                    "queries",
                )

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Choose an image of the pool, then queries and support among its pixels."""
        draw = generator(rng.child("data"))
        image = draw.choice(pool_images(pool))
        # Queries come first, so that more shots leave them as they are.
        order = draw.permutation(SIDE * SIDE)
        query = order[: self.queries]
        support = order[self.queries : self.queries + self.shots]
        x = pixel_places()
        return Episode(
            x=x[:, support],
            y=image[support],
            held_x=x[:, query],
            held_y=image[query],
            outputs=1,
            shape=(2,),
        )


def pixel_places() -> np.ndarray:
    """Return row and column of each pixel, from −1 to 1; float32, shape (2, pixel)."""
    line = np.linspace(-1.0, 1.0, SIDE, dtype=np.float32)
    return np.stack(np.meshgrid(line, line, indexing="ij")).reshape(2, -1)


@lru_cache(maxsize=3)
def pool_images(pool: str) -> np.ndarray:
    """Return a pool's images; float32, shape (image, pixel)."""
    images = load_bundled_set("digits").x.astype(np.float32) / BRIGHTEST
    # By the set alone, never by a knob or a seed.
    order = generator(Rng(0).child("digit_completion")).permutation(len(images))
    return images[np.split(order, CUTS)[POOLS.index(pool)]]
