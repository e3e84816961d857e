"""Omniglot sequences: characters one at a time, each label revealed one step late.

Source: Santoro et al. (2016), arXiv:1605.06065, section 4.1: 50 presentations of five
characters, labels drawn anew in each episode.
Differs: the split into 1028 / 172 / 423 characters of Vinyals et al. (2016), 1200 / 423
in the paper; images of 28 or 14 pixels, 20 there; no small random rotations and
translations; one-hot labels, as in the paper's table for five classes.
Helps: to see a label bound to a drawing after one look at it, with published accuracies
for the n-th presentation of a class.
"""

from typing import ClassVar

import numpy as np

from engine.contract.errors import Refused
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.data.sources import omniglot
from engine.data.sources.omniglot_zip_reader import DRAWERS
from engine.protocol import Episode, generator
from engine.tasks import knobs
from engine.tasks.few_shot._class_pools import ClassPool, check_ways, turn_count
from engine.tasks.few_shot._family import EpisodeFamily
from engine.tasks.few_shot._omniglot_pools import draw_characters, load_class_pool
from engine.tasks.few_shot._online import (
    Labels,
    choose_online_classes,
    labels_knob,
    online_episode,
    presentation_numbers,
    presentation_order,
    presentations_knob,
)


@register("family")
class OmniglotSequences(EpisodeFamily):
    """x_t: pixels in [0, 1] of a character y_t of N; y_t is revealed at t + 1."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    net: ClassVar[str] = "conv4"
    pooled: ClassVar[bool] = True

    ways: int = knobs.ways(5)
    presentations: int = presentations_knob()
    labels: Labels = labels_knob()
    rotations: knobs.Rotations = knobs.rotations("train")
    side: knobs.Side = knobs.side()

    @classmethod
    def missing_file(cls) -> str:
        """Return which file this family lacks; empty if none."""
        return omniglot.missing_source()

    def check(self) -> None:
        """Check that there are enough drawings and classes."""
        if self.presentations > (most := DRAWERS * self.ways):
            raise Refused(
                f"{self.presentations} presentations are too many: {DRAWERS} people "
                f"drew each of {self.ways} characters; choose at most {most}",
                "presentations",
            )
        check_ways(self, omniglot.POOLS)

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Choose characters of the pool, their writers and their order."""
        draw = generator(rng.child("data"))
        classes = self.class_pool(pool)
        ids = choose_online_classes(draw, classes.class_count, self.ways, self.labels)
        order = presentation_order(rng, self.ways, self.presentations)
        writers = draw.random((self.ways, DRAWERS)).argsort(axis=1)
        drawers = writers[order, presentation_numbers(order)]
        images = draw_characters(classes, ids[order], drawers, int(self.side))
        x = np.ascontiguousarray(images.reshape(len(images), -1).T)
        pixels = np.multiply(x, np.float32(1 / 255), dtype=np.float32)
        known = self.class_pool("train").class_count
        return online_episode(pixels, order, ids, (1, *images.shape[1:]), known)

    def class_pool(self, pool: str) -> ClassPool:
        """Return the classes of a pool."""
        turns = turn_count(self.rotations, pool)
        return load_class_pool("vinyals", pool, turns, "all")
