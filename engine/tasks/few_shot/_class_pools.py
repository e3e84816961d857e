"""The classes that episodes choose from, turned ones among them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.contract.errors import Refused


@dataclass(frozen=True, eq=False)
class Deck:
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
    def whole(cls, members: np.ndarray, turns: int) -> "Deck":
        """Return a deck whose classes may all be mixed."""
        return cls(members, turns, (np.arange(len(members)),))

    @property
    def count(self) -> int:
        """Return how many members there are, turned or not."""
        return len(self.members)

    @property
    def classes(self) -> int:
        """Return how many classes there are."""
        return self.turns * self.count

    def choose(self, draw: np.random.Generator, ways: int) -> np.ndarray:
        """Draw different classes in an order drawn anew; shape (way,).

        Where there are several groups, the classes are of one, all turned alike.
        """
        if len(self.groups) == 1:
            return draw.choice(self.classes, ways, replace=False)
        fit = [group for group in self.groups if len(group) >= ways]
        group = fit[draw.integers(len(fit))]
        quarter = draw.integers(self.turns)
        return quarter * self.count + draw.choice(group, ways, replace=False)

    def largest(self) -> int:
        """Return how many ways an episode can have."""
        if len(self.groups) == 1:
            return self.classes
        return max(len(group) for group in self.groups)


class Dealt(Protocol):
    """A family whose pools are decks."""

    @property
    def ways(self) -> int:
        """Return how many classes an episode has."""

    def deck(self, pool: str) -> Deck:
        """Return the classes of a pool."""


def check_ways(family: Dealt, pool: str) -> None:
    """Refuse more ways than there are classes.

    Raises:
        Refused: With how many the pool has.
    """
    deck = family.deck(pool)
    most = deck.largest()
    if family.ways > most:
        where = "one of its groups" if len(deck.groups) > 1 else "all"
        raise Refused(
            f"{family.ways} ways are too many: the {pool} pool has {most} classes in "
            f"{where}; choose 2 to {most}",
            "ways",
        )


def quarters(rotations: str, pool: str) -> int:
    """Return in how many turns the members of a pool are classes.

    >>> quarters("train", "train"), quarters("train", "test"), quarters("all", "test")
    (4, 1, 4)
    """
    turned = rotations == "all" or (rotations == "train" and pool == "train")
    return 1 + len(_QUARTERS) if turned else 1


def turn(images: np.ndarray, turns: np.ndarray) -> None:
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
