"""Pools of classes that episodes are sampled from, rotated classes included."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.contract.errors import Refused


@dataclass(frozen=True, eq=False)
class ClassPool:
    """The classes of a pool: class = quarter turn × count + position in `members`.

    Args:
        members: Numbers of the classes without rotation, such as characters; shape
            (count,).
        turns: Rotations of each that are classes of their own: 1 or 4.
        groups: Positions of the members that one episode may mix, such as those of an
            alphabet.
    """

    members: np.ndarray
    turns: int
    groups: tuple[np.ndarray, ...]

    @classmethod
    def pool_without_groups(cls, members: np.ndarray, turns: int) -> "ClassPool":
        """Return a pool whose classes may all be mixed in one episode."""
        return cls(members, turns, (np.arange(len(members)),))

    @property
    def member_count(self) -> int:
        """Return the number of members, without rotations."""
        return len(self.members)

    @property
    def class_count(self) -> int:
        """Return the number of classes, rotations included."""
        return self.turns * self.member_count

    def choose_classes(self, draw: np.random.Generator, ways: int) -> np.ndarray:
        """Draw distinct classes in random order.

        With several groups, all classes are of the same group and rotation.

        Args:
            draw: Random numbers.
            ways: Number of classes.

        Returns:
            Class numbers; shape (way,).
        """
        if len(self.groups) == 1:
            return draw.choice(self.class_count, ways, replace=False)
        fit = [group for group in self.groups if len(group) >= ways]
        group = fit[draw.integers(len(fit))]
        quarter = draw.integers(self.turns)
        return quarter * self.member_count + draw.choice(group, ways, replace=False)

    def most_ways(self) -> int:
        """Return the largest number of ways that an episode can have."""
        if len(self.groups) == 1:
            return self.class_count
        return max(len(group) for group in self.groups)


class PooledFamily(Protocol):
    """A family that samples its classes from class pools."""

    @property
    def ways(self) -> int:
        """Return the number of classes of an episode."""

    def class_pool(self, pool: str) -> ClassPool:
        """Return the classes of a pool."""


def check_ways(family: PooledFamily, pools: Iterable[str]) -> None:
    """Check that every pool has enough classes for an episode.

    Args:
        family: The family.
        pools: Some of "train", "validation" and "test".

    Raises:
        Refused: If one has too few; the limit named is one that all pools can give.
    """
    for prefix, names in pools_by_size(family, pools, ("ways",)):
        ways = getattr(family, f"{prefix}ways")
        pool = min(names, key=lambda name: family.class_pool(name).most_ways())
        classes = family.class_pool(pool)
        most = classes.most_ways()
        if ways > most:
            where = "one of its groups" if len(classes.groups) > 1 else "all"
            allowed = f"2 to {most}" if most > 2 else "2"
            raise Refused(
                f"{ways} ways are too many: the {pool} pool has {most} classes in "
                f"{where}; choose {allowed}",
                f"{prefix}ways",
            )


def pools_by_size(
    family: PooledFamily, pools: Iterable[str], knobs: Iterable[str]
) -> list[tuple[str, list[str]]]:
    """Group pools by the knobs that set the sizes of their episodes.

    Args:
        family: The family; a `train_…` knob that is 0 keeps the size of the tests.
        pools: Some of "train", "validation" and "test".
        knobs: Names of the knobs, such as ways.

    Returns:
        What stands before the names of the knobs, "train_" or nothing, with the pools.
    """
    names = list(pools)
    if not any(getattr(family, f"train_{name}", 0) for name in knobs):
        return [("", names)]
    others = [name for name in names if name != "train"]
    return [("train_", ["train"])] * ("train" in names) + [("", others)]


def turn_count(rotations: str, pool: str) -> int:
    """Return how many rotations of each member are classes.

    Args:
        rotations: "none", "train" (in meta-training only) or "all".
        pool: "train", "validation" or "test".

    >>> (turn_count("train", "train"), turn_count("train", "test"),
    ...  turn_count("all", "test"))
    (4, 1, 4)
    """
    turned = rotations == "all" or (rotations == "train" and pool == "train")
    return 1 + len(_QUARTERS) if turned else 1


def turn_images(images: np.ndarray, turns: np.ndarray) -> None:
    """Rotate square images, in place and counterclockwise.

    Args:
        images: Shape (example, side, side).
        turns: Quarter turns of each image, 0 to 3; shape (example,).
    """
    for quarter, view in _QUARTERS.items():
        some = np.flatnonzero(turns == quarter)
        if len(some):
            images[some] = view(images[some])


# np.rot90 gives the same, but its overhead exceeds the time to rotate a few images.
_QUARTERS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda images: images.swapaxes(1, 2)[:, ::-1],
    2: lambda images: images[:, ::-1, ::-1],
    3: lambda images: images[:, ::-1].swapaxes(1, 2),
}
