"""Glyphs: characters of a font in many scripts, randomly distorted like handwriting.

Source: ours, after Omniglot; the font is DejaVu Sans, shipped with the lab. The
elastic distortion follows Simard, Steinkraus and Platt (2003).
Differs: look-alikes of different scripts are one class; size is normalized, so c
and C are one, too. No rotated classes: some glyphs are rotations of others.
Helps: as the image task that needs no download: thousands of classes, many examples.
"""

from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.data.sources import font_bitmaps
from engine.data.sources.glyph_classes import POOLS, build_glyph_classes
from engine.protocol import Episode, generator
from engine.tasks import knobs
from engine.tasks.few_shot._class_pools import ClassPool, check_ways
from engine.tasks.few_shot._distortions import Distortion, draw_shapes
from engine.tasks.few_shot._family import EpisodeFamily
from engine.tasks.few_shot._sampling import image_episode, pick_examples, support_counts


@register("family")
class Glyphs(EpisodeFamily):
    """x = ink(d_k(A u + b + e(u)) + w), u: pixels; A, b, e, w drawn per example."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    net: ClassVar[str] = "conv4"

    ways: int = knobs.ways(5)
    shots: int = knobs.shots(1)
    queries: int = knobs.queries(15)
    train_ways: int = knobs.train_ways()
    train_shots: int = knobs.train_shots()
    train_queries: int = knobs.train_queries()
    side: knobs.Side = knobs.side()
    affine: float = knob(
        1.0,
        label="Slant",
        unit="× usual",
        low=0.0,
        high=4.0,
        help="1 rotates by up to 15°, shears by 0.25, scales by 20 %, shifts by 6 %.",
    )
    elastic: float = knob(
        3.0,
        label="Bending",
        unit="% of side",
        low=0.0,
        high=12.0,
        help="Standard deviation of a smooth displacement; more is harder to read.",
    )
    stroke: float = knob(
        2.0,
        label="Stroke jitter",
        unit="% of side",
        low=0.0,
        high=8.0,
        help="Largest shift of an outline, inward or outward.",
    )
    contrast: float = knob(
        0.3,
        label="Paleness",
        low=0.0,
        high=0.95,
        help="Largest share by which ink is paler than white.",
    )
    balance: knobs.Balance = knobs.balance()
    normalize: knobs.Normalize = knobs.normalize()
    alphabets: Literal["known", "held_out"] = knob(
        "known",
        label="Test scripts",
        advanced=True,
        help="New glyphs of the scripts of meta-training, or Armenian, Georgian, "
        "Hebrew, Lao and Tifinagh, which meta-training never sees.",
    )

    @classmethod
    def missing_file(cls) -> str:
        """Return which file this family lacks; empty if none."""
        return font_bitmaps.missing_font()

    def check(self) -> None:
        """Check that every pool has enough classes."""
        check_ways(self, POOLS)

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Choose glyphs of the pool, and render distorted examples of each."""
        draw = generator(rng.child("data"))
        classes = self.class_pool(pool)
        ids = classes.choose_classes(draw, self.ways)
        most = self.ways * self.shots
        counts = support_counts(draw, self.ways, self.shots, most, self.balance)
        each = int(counts.max()) + self.queries
        # Examples are interchangeable until they are distorted.
        order = np.broadcast_to(np.arange(each), (self.ways, each))
        picks = pick_examples(counts, self.queries, order)
        depth = build_glyph_classes().depth[classes.members[ids][picks.way]]
        # A stream for each part: more shots leave the queries unchanged.
        parts = {
            "support": depth[: picks.support_count],
            "query": depth[picks.support_count :],
        }
        images = [
            draw_shapes(
                part, int(self.side), self._distortion(), generator(rng.child(name))
            )
            for name, part in parts.items()
        ]
        known = self.class_pool("train").class_count
        return image_episode(np.concatenate(images), picks, ids, known)

    def _distortion(self) -> Distortion:
        return Distortion(self.affine, self.elastic, self.stroke, self.contrast)

    def class_pool(self, pool: str) -> ClassPool:
        """Return the classes of a pool."""
        apart = pool == "test" and self.alphabets == "held_out"
        return _load_pool("held_out" if apart else pool)


@lru_cache(maxsize=4)
def _load_pool(pool: str) -> ClassPool:
    return ClassPool.pool_without_groups(build_glyph_classes().pools[pool], 1)
