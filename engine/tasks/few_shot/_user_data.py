"""Episodes from a person's own examples: classes are divided, or all kept for tests.

The division depends on the classes alone, never on a knob or a seed, so that no class
that was learned on is ever tested on.
"""

from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.data.user.class_splits import LEAST, pool_sizes
from engine.protocol import generator
from engine.tasks import knobs
from engine.tasks.few_shot._class_pools import ClassPool, check_ways
from engine.tasks.few_shot._family import EpisodeFamily, with_training_sizes
from engine.tasks.few_shot._sampling import (
    EpisodeIndices,
    pick_examples,
    support_counts,
)

POOLS = ("train", "validation", "test")
ClassUse = Literal["split", "target"]


@dataclass(frozen=True, eq=False)
class UserClasses:
    """A person's classes; compared and hashed by identity.

    Args:
        names: Of the classes.
        members: Which rows are of each class, no two of them the same.
        word: What rows are called, such as "images".
    """

    names: tuple[str, ...]
    members: tuple[np.ndarray, ...]
    example_noun: str


@lru_cache(maxsize=8)
def class_pools(own: UserClasses, use: ClassUse) -> dict[str, ClassPool]:
    """Divide the classes into pools; each class is in one.

    Raises:
        Refused: If there are too few for three pools.
    """
    count = len(own.names)
    order = generator(Rng(0).child("own classes")).permutation(count)
    if use == "target":
        return {"test": ClassPool.pool_without_groups(order, 1)}
    if count < LEAST:
        raise Refused(
            f"{count} classes are too few for training, validation and test classes; "
            f"at least {LEAST} are needed; use them as a target for tests",
            "use",
        )
    parts = np.split(order, np.cumsum(pool_sizes(count))[:2])
    return {
        pool: ClassPool.pool_without_groups(p, 1)
        for pool, p in zip(POOLS, parts, strict=True)
    }


class OwnFamily(EpisodeFamily):
    """Episodes of a person's own classes."""

    pooled: ClassVar[bool] = True
    needs_file: ClassVar[bool] = True

    use: ClassUse = knob(
        "split",
        label="Classes are for",
        help="Split: half of them for training, the rest for validation and tests; "
        "target: all for tests alone, of what was learned on another family.",
    )
    ways: int = knobs.ways(2)
    shots: int = knobs.shots(1)
    queries: int = knobs.queries(5)
    train_ways: int = knobs.train_ways()
    train_shots: int = knobs.train_shots()
    train_queries: int = knobs.train_queries()
    balance: knobs.Balance = knobs.balance()

    @abstractmethod
    def classes(self) -> UserClasses:
        """Return the classes that the file holds; the same object every time."""

    def check(self) -> None:
        """Refuse a file that is absent, and more than it holds."""
        for pool in class_pools(self.classes(), self.use):
            sized = with_training_sizes(self) if pool == "train" else self
            assert isinstance(sized, OwnFamily)
            check_ways(sized, pool)
            _check_examples(sized, pool)

    def class_pool(self, pool: str) -> ClassPool:
        """Return the classes of a pool.

        Raises:
            Refused: If they are all kept for tests, and the pool is another one.
        """
        found = class_pools(self.classes(), self.use)
        if pool not in found:
            raise Refused(
                "these classes are a target for tests; train on another family and "
                "test on this one, or split its classes",
                "use",
            )
        return found[pool]

    def known_classes(self) -> int:
        """Return how many classes meta-training has."""
        return self.class_pool("train").class_count if self.use == "split" else 0


def _check_examples(family: OwnFamily, pool: str) -> None:
    own, deck = family.classes(), family.class_pool(pool).members.tolist()
    smallest = min(deck, key=lambda number: len(own.members[number]))
    there, each = len(own.members[smallest]), family.shots + family.queries
    if each > there:
        name = own.names[smallest][:40]
        raise Refused(
            f"{family.shots} shots and {family.queries} queries are {each} "
            f"{own.example_noun} "
            f"of a class, and class {name!r} has {there} different ones: choose "
            f"{there} or fewer together",
            "queries",
        )


def draw_indices(
    family: OwnFamily, draw: np.random.Generator, pool: str
) -> tuple[EpisodeIndices, np.ndarray]:
    """Choose classes of a pool, and examples of each.

    Returns:
        Picks, whose places are rows of the whole set, and the place of each way's
        class in its pool. More shots leave the queries as they were.
    """
    own, deck = family.classes(), family.class_pool(pool)
    ids = deck.choose_classes(draw, family.ways)
    rows = [own.members[number] for number in deck.members[ids]]
    least = min(len(members) for members in rows)
    order = np.stack([draw.permutation(members)[:least] for members in rows])
    most = least - family.queries
    counts = support_counts(draw, family.ways, family.shots, most, family.balance)
    return pick_examples(counts, family.queries, order), ids
