"""The classes that episodes choose from, turned ones among them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.contract.errors import Refused


@dataclass(frozen=True, eq=False)
class ClassPool:
    """The classes of a pool: class = turn × count + place among its members.

    Args:
        members: Numbers of what can be drawn, such as characters; shape (count,).
        turns: How many turns of each are classes: 1 or 4.
        groups: Places of those that an episode may mix, such as alphabets.
    """

    members: np.ndarray
    turns: int
    groups: tuple[np.ndarray, ...]

    @classmethod
    def pool_without_groups(cls, members: np.ndarray, turns: int) -> "ClassPool":
        """Return a deck whose classes may all be mixed."""
        return cls(members, turns, (np.arange(len(members)),))

    @property
    def member_count(self) -> int:
        """Return how many members there are, turned or not."""
        return len(self.members)

    @property
    def class_count(self) -> int:
        """Return how many classes there are."""
        return self.turns * self.member_count

    def choose_classes(self, draw: np.random.Generator, ways: int) -> np.ndarray:
        """Draw different classes in an order drawn anew; shape (way,).

        Where there are several groups, the classes are of one, all turned alike.
        """
        if len(self.groups) == 1:
            return draw.choice(self.class_count, ways, replace=False)
        fit = [group for group in self.groups if len(group) >= ways]
        group = fit[draw.integers(len(fit))]
        quarter = draw.integers(self.turns)
        return quarter * self.member_count + draw.choice(group, ways, replace=False)

    def most_ways(self) -> int:
        """Return how many ways an episode can have."""
        if len(self.groups) == 1:
            return self.class_count
        return max(len(group) for group in self.groups)


class PooledFamily(Protocol):
    """A family whose pools are decks."""

    @property
    def ways(self) -> int:
        """Return how many classes an episode has."""

    def class_pool(self, pool: str) -> ClassPool:
        """Return the classes of a pool."""


def check_ways(family: PooledFamily, pool: str) -> None:
    """Refuse more ways than there are classes.

    Raises:
        Refused: With how many the pool has.
    """
    deck = family.class_pool(pool)
    most = deck.most_ways()
    if family.ways > most:
        where = "one of its groups" if len(deck.groups) > 1 else "all"
        raise Refused(
            f"{family.ways} ways are too many: the {pool} pool has {most} classes in "
            f"{where}; choose 2 to {most}",
            "ways",
        )


def turn_count(rotations: str, pool: str) -> int:
    """Return in how many turns the members of a pool are classes.

    >>> (turn_count("train", "train"), turn_count("train", "test"),
    ...  turn_count("all", "test"))
    (4, 1, 4)
    """
    turned = rotations == "all" or (rotations == "train" and pool == "train")
    return 1 + len(_QUARTERS) if turned else 1


def turn_images(images: np.ndarray, turns: np.ndarray) -> None:
    """Turn square images in place by quarter turns, counterclockwise.

    Args:
        images: Shape (example, side, side).
        turns: Of each image, 0 to 3; shape (example,).
    """
    for quarter, view in _QUARTERS.items():
        some = np.flatnonzero(turns == quarter)
        if len(some):
            images[some] = view(images[some])


# np.rot90 says the same, but takes longer to say it than to turn some images.
_QUARTERS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda images: images.swapaxes(1, 2)[:, ::-1],
    2: lambda images: images[:, ::-1, ::-1],
    3: lambda images: images[:, ::-1].swapaxes(1, 2),
}
