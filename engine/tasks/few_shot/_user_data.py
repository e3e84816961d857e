"""Episodes from the user's own examples: classes split into pools, or all for tests.

The split depends on the classes alone, never on a knob or a seed, so that no class of
meta-training is ever tested on.
"""

from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.data.user.class_splits import LEAST, POOLS, pool_sizes
from engine.protocol import generator
from engine.tasks import knobs
from engine.tasks.few_shot._class_pools import ClassPool, check_ways, pools_by_size
from engine.tasks.few_shot._family import EpisodeFamily, with_training_sizes
from engine.tasks.few_shot._sampling import (
    EpisodeIndices,
    pick_examples,
    support_counts,
)

ClassUse = Literal["split", "target"]


@dataclass(frozen=True, eq=False)
class UserClasses:
    """The user's classes; compared and hashed by identity.

    Args:
        names: Names of the classes.
        members: Row numbers of each class, without duplicate rows.
        example_noun: What an example is called in messages, such as "images".
        pools: The pool of each class, where the data bring a split of their own.
    """

    names: tuple[str, ...]
    members: tuple[np.ndarray, ...]
    example_noun: str
    pools: tuple[str, ...] = ()


@lru_cache(maxsize=8)
def class_pools(own: UserClasses, use: ClassUse) -> dict[str, ClassPool]:
    """Split the classes into pools; each class is in one.

    Args:
        own: The user's classes.
        use: "split" for three pools, or "target" for a test pool only.

    Returns:
        By the name of the pool.

    Raises:
        Refused: If there are too few classes for three pools.
    """
    count = len(own.names)
    order = generator(Rng(0).child("own classes")).permutation(count)
    if use == "target":
        return {"test": ClassPool.pool_without_groups(order, 1)}
    if own.pools:
        return _given_pools(own.pools)
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


def _given_pools(pools: tuple[str, ...]) -> dict[str, ClassPool]:
    """Return the pools that the data bring.

    Raises:
        Refused: If one has fewer than two classes.
    """
    found = {}
    for pool in POOLS:
        mine = np.flatnonzero([each == pool for each in pools])
        if len(mine) < 2:
            raise Refused(
                f"the data's own split has {len(mine)} {pool} classes; at least 2 are "
                "needed in each of train, validation and test",
                "use",
            )
        found[pool] = ClassPool.pool_without_groups(mine, 1)
    return found


class OwnFamily(EpisodeFamily):
    """Base class of families of the user's own classes."""

    pooled: ClassVar[bool] = True
    needs_file: ClassVar[bool] = True

    use: ClassUse = knob(
        "split",
        label="Classes are for",
        help="Split: half of them for training, the rest for validation and tests; "
        "target: all for tests of what was meta-trained on another family.",
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
        """Return the file's classes; always the same object, since caches key on it."""

    def check(self) -> None:
        """Check that the file is there and has enough classes and examples."""
        pools = class_pools(self.classes(), self.use)
        check_ways(self, pools)
        _check_examples(self, pools)

    def class_pool(self, pool: str) -> ClassPool:
        """Return the classes of a pool.

        Raises:
            Refused: If all classes are for tests, and the pool is another one.
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
        """Return the number of classes in the meta-training pool."""
        return self.class_pool("train").class_count if self.use == "split" else 0


def _check_examples(family: OwnFamily, pools: dict[str, ClassPool]) -> None:
    own = family.classes()
    for prefix, names in pools_by_size(family, pools, ("shots", "queries")):
        sized = with_training_sizes(family) if prefix else family
        assert isinstance(sized, OwnFamily)
        numbers = np.concatenate([pools[name].members for name in names])
        smallest = min(numbers.tolist(), key=lambda number: len(own.members[number]))
        there, each = len(own.members[smallest]), sized.shots + sized.queries
        if each > there:
            name = own.names[smallest][:40]
            raise Refused(
                f"{sized.shots} shots and {sized.queries} queries are {each} "
                f"{own.example_noun} of a class, and class {name!r} has {there} "
                f"different ones: choose {there} or fewer together",
                f"{prefix}queries",
            )


def draw_indices(
    family: OwnFamily, draw: np.random.Generator, pool: str
) -> tuple[EpisodeIndices, np.ndarray]:
    """Choose classes of a pool, and examples of each.

    Args:
        family: The sizes of the episode.
        draw: Random numbers.
        pool: "train", "validation" or "test".

    Returns:
        Indices whose `example` is a row of the whole data set, and the class in the
        pool of each way; shape (way,). More shots leave the queries unchanged.
    """
    own, classes = family.classes(), family.class_pool(pool)
    ids = classes.choose_classes(draw, family.ways)
    rows = [own.members[number] for number in classes.members[ids]]
    # The smallest class limits all, so that the orders stack.
    least = min(len(members) for members in rows)
    order = np.stack([draw.permutation(members)[:least] for members in rows])
    most = least - family.queries
    counts = support_counts(draw, family.ways, family.shots, most, family.balance)
    return pick_examples(counts, family.queries, order), ids
