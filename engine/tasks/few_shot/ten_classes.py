"""Ten-class sets: digits, MNIST or Fashion-MNIST, few of whose classes are new.

Source: scikit-learn's digits; LeCun et al. (1998); Xiao et al. (2017).
Differs: a set's classes are divided once, 4 / 2 / 4, so tests tell between classes
that were never seen; two ways are usual, as four classes give six pairs.
Helps: to test on another data set what was learned on glyphs or on Omniglot.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np

from engine.contract.errors import Refused
from engine.contract.knobs import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.data.sources import data_pack
from engine.data.sources.sklearn_sets import bundled
from engine.data.sources.table import Table
from engine.protocol import Episode, generator
from engine.tasks import knobs
from engine.tasks.few_shot._class_pools import Deck, check_ways, quarters, turn
from engine.tasks.few_shot._family import EpisodeFamily, in_training
from engine.tasks.few_shot._sampling import image_episode, pick, support_counts

POOLS = ("train", "validation", "test")
CUTS = (4, 6)
Which = Literal["digits", "mnist", "fashion_mnist"]


@register("family")
class TenClasses(EpisodeFamily):
    """x: pixels in [0, 1], ink bright; y: which of N classes drawn from its pool."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    pooled: ClassVar[bool] = True

    which: Which = knob(
        "digits", label="Set",
        help="Digits come with scikit-learn, 8 × 8 pixels; the others are in the data "
        "pack.",
    )  # fmt: skip
    use: Literal["split", "target"] = knob(
        "split", label="Classes are for",
        help="Split: 4 for training, 2 for validation, 4 for tests; target: all ten "
        "for tests, of learners without training or of what another family taught.",
    )  # fmt: skip
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
        """Refuse a set that is absent, and more classes or examples than it has."""
        _rows(self.which, int(self.side))
        if self.use == "target" and self.normalize == "training":
            raise Refused(
                "ten classes for tests alone have no training to take a scale from; "
                "choose 'support' or 'none'",
                "normalize",
            )
        for pool in ("test",) if self.use == "target" else POOLS:
            sized = in_training(self) if pool == "train" else self
            check_ways(sized, pool)
            _check_examples(sized, pool)

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Choose classes of the pool, then rows of each."""
        draw = generator(rng.child("data"))
        deck, held = self.deck(pool), _rows(self.which, int(self.side))
        ids = deck.choose(draw, self.ways)
        rows = [held.members[number] for number in deck.members[ids % deck.count]]
        least = min(map(len, rows))
        order = np.stack([draw.permutation(some)[:least] for some in rows])
        most = least - self.queries
        counts = support_counts(draw, self.ways, self.shots, most, self.balance)
        picks = pick(counts, self.queries, order)
        images = held.images[picks.place]
        turn(images, (ids // deck.count)[picks.way])
        known = 0 if self.use == "target" else self.deck("train").classes
        return image_episode(images, picks, ids, known)

    def deck(self, pool: str) -> Deck:
        """Return the classes of a pool.

        Raises:
            Refused: If they are all kept for tests, and the pool is another one.
        """
        if self.use == "target" and pool != "test":
            raise Refused(
                "these ten classes are a target for tests; train on another family "
                "and test on this one, or split them",
                "use",
            )
        part = "all" if self.use == "target" else pool
        return _deck(self.which, part, quarters(self.rotations, pool))


@lru_cache(maxsize=16)
def _deck(which: str, part: str, turns: int) -> Deck:
    """Divide the classes once: by the set alone, never by a knob or a seed."""
    order = generator(Rng(0).child("ten_classes", which)).permutation(10)
    parts = dict(zip(POOLS, np.split(order, CUTS), strict=True)) | {"all": order}
    return Deck.whole(parts[part], turns)


@dataclass(frozen=True, eq=False)
class Rows:
    """A set's images, float32 in [0, 1], and which rows are of each class."""

    images: np.ndarray
    members: tuple[np.ndarray, ...]
    names: tuple[str, ...]


@lru_cache(maxsize=2)
def _rows(which: Which, side: int) -> Rows:
    table = _table(which, side)
    edge = round(table.features**0.5)
    images = table.x.astype(np.float32).reshape(-1, edge, edge)
    members = tuple(np.flatnonzero(table.y == number) for number in range(10))
    return Rows(images, members, table.classes)


def _table(which: Which, side: int) -> Table:
    if which == "digits":
        digits = bundled("digits")
        return Table(digits.x / 16, digits.y, digits.classes)
    return {"mnist": data_pack.mnist, "fashion_mnist": data_pack.fashion_mnist}[which](
        side
    )


def _check_examples(family: TenClasses, pool: str) -> None:
    held = _rows(family.which, int(family.side))
    deck = family.deck(pool).members.tolist()
    smallest = min(deck, key=lambda number: len(held.members[number]))
    there, each = len(held.members[smallest]), family.shots + family.queries
    if each > there:
        raise Refused(
            f"{family.shots} shots and {family.queries} queries are {each} images of a "
            f"class, and class {held.names[smallest]!r} has {there}: choose {there} or "
            "fewer together",
            "queries",
        )
