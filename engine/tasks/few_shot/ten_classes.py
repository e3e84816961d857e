"""Ten-class sets: episodes from digits, MNIST or Fashion-MNIST.

Source: scikit-learn's digits; LeCun et al. (1998); Xiao et al. (2017).
Differs: a set's classes are split once, 4 / 2 / 4, so test classes are never seen in
meta-training; two ways are the default, as four classes give six pairs.
Helps: to test what was learned on glyphs or Omniglot on another data set.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.data.sources import data_pack
from engine.data.sources.sklearn_sets import load_bundled_set
from engine.data.sources.supervised_table import DataTable
from engine.protocol import Episode, generator
from engine.tasks import knobs
from engine.tasks.few_shot._class_pools import (
    ClassPool,
    check_ways,
    pools_by_size,
    turn_count,
    turn_images,
)
from engine.tasks.few_shot._family import EpisodeFamily, with_training_sizes
from engine.tasks.few_shot._sampling import image_episode, pick_examples, support_counts

POOLS = ("train", "validation", "test")
CUTS = (4, 6)
SetName = Literal["digits", "mnist", "fashion_mnist"]


@register("family")
class TenClasses(EpisodeFamily):
    """x: pixels in [0, 1], ink bright; y: which of N classes drawn from its pool."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    pooled: ClassVar[bool] = True

    which: SetName = knob(
        "digits",
        label="Set",
        help="Digits (8 × 8 pixels) come with scikit-learn; the others are in the data "
        "pack.",
    )
    use: Literal["split", "target"] = knob(
        "split",
        label="Classes are for",
        help="Split: 4 for training, 2 for validation, 4 for tests; target: all ten "
        "for tests, of untrained learners or of those trained on another family.",
    )
    ways: int = knobs.ways(2, high=10)
    shots: int = knobs.shots(5)
    queries: int = knobs.queries(15)
    train_ways: int = knobs.train_ways(high=10)
    train_shots: int = knobs.train_shots()
    train_queries: int = knobs.train_queries()
    side: knobs.Side = knobs.side("14")
    rotations: knobs.Rotations = knobs.rotations("none")
    balance: knobs.Balance = knobs.balance()
    normalize: knobs.Normalize = knobs.normalize()

    def check(self) -> None:
        """Check that the set is there and has enough classes and examples."""
        _load_rows(self.which, int(self.side))
        if self.use == "target" and self.normalize == "training":
            raise Refused(
                "with all ten classes for tests, there are no training classes to "
                "normalize by; choose 'support' or 'none'",
                "normalize",
            )
        pools = ("test",) if self.use == "target" else POOLS
        check_ways(self, pools)
        _check_examples(self, pools)

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Choose classes of the pool, then rows of each."""
        draw = generator(rng.child("data"))
        classes, held = self.class_pool(pool), _load_rows(self.which, int(self.side))
        ids = classes.choose_classes(draw, self.ways)
        numbers = classes.members[ids % classes.member_count]
        rows = [held.members[number] for number in numbers]
        # The smallest class limits all, so that the orders stack.
        least = min(map(len, rows))
        order = np.stack([draw.permutation(some)[:least] for some in rows])
        most = least - self.queries
        counts = support_counts(draw, self.ways, self.shots, most, self.balance)
        picks = pick_examples(counts, self.queries, order)
        images = held.images[picks.example]
        turn_images(images, (ids // classes.member_count)[picks.way])
        known = 0 if self.use == "target" else self.class_pool("train").class_count
        return image_episode(images, picks, ids, known)

    def class_pool(self, pool: str) -> ClassPool:
        """Return the classes of a pool.

        Raises:
            Refused: If all classes are for tests, and the pool is another one.
        """
        if self.use == "target" and pool != "test":
            raise Refused(
                "these ten classes are a target for tests; train on another family "
                "and test on this one, or split them",
                "use",
            )
        part = "all" if self.use == "target" else pool
        return _load_pool(self.which, part, turn_count(self.rotations, pool))


@lru_cache(maxsize=16)
def _load_pool(which: str, part: str, turns: int) -> ClassPool:
    """Split the classes by the set's name alone, never by a knob or a seed."""
    order = generator(Rng(0).child("ten_classes", which)).permutation(10)
    parts = dict(zip(POOLS, np.split(order, CUTS), strict=True)) | {"all": order}
    return ClassPool.pool_without_groups(parts[part], turns)


@dataclass(frozen=True, eq=False)
class ImageRows:
    """A set's images, float32 in [0, 1], and the rows of each class."""

    images: np.ndarray
    members: tuple[np.ndarray, ...]
    names: tuple[str, ...]


@lru_cache(maxsize=2)
def _load_rows(which: SetName, side: int) -> ImageRows:
    table = _load_table(which, side)
    edge = round(table.features**0.5)
    images = table.x.astype(np.float32).reshape(-1, edge, edge)
    members = tuple(np.flatnonzero(table.y == number) for number in range(10))
    return ImageRows(images, members, table.classes)


def _load_table(which: SetName, side: int) -> DataTable:
    if which == "digits":
        digits = load_bundled_set("digits")
        # Brightness goes from 0 to 16.
        return DataTable(digits.x / 16, digits.y, digits.classes)
    return {"mnist": data_pack.mnist, "fashion_mnist": data_pack.fashion_mnist}[which](
        side
    )


def _check_examples(family: TenClasses, pools: tuple[str, ...]) -> None:
    held = _load_rows(family.which, int(family.side))
    for prefix, names in pools_by_size(family, pools, ("shots", "queries")):
        sized = with_training_sizes(family) if prefix else family
        assert isinstance(sized, TenClasses)
        numbers = np.concatenate([family.class_pool(name).members for name in names])
        smallest = min(numbers.tolist(), key=lambda number: len(held.members[number]))
        there, each = len(held.members[smallest]), sized.shots + sized.queries
        if each > there:
            raise Refused(
                f"{sized.shots} shots and {sized.queries} queries are {each} images "
                f"of a class, and class {held.names[smallest]!r} has {there}: choose "
                f"{there} or fewer together",
                f"{prefix}queries",
            )
