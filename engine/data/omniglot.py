"""Omniglot: 1,623 handwritten characters of 50 alphabets, each by 20 drawers.

Source: Lake, Salakhutdinov and Tenenbaum (2015), Science 350; MIT, © Brenden Lake.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.contract.rng import Rng
from engine.data import pack
from engine.data.images import block_average

PACKED = "omniglot28.npz"
DRAWERS = 20
POOLS = ("train", "validation", "test")

# The split of Vinyals et al. (2016), by alphabet; one alphabet is cut in two.
VALIDATION = (
    "Armenian",
    "Bengali",
    "Early_Aramaic",
    "Hebrew",
    "Mkhedruli_(Georgian)",
)
HELD_OUT_ALPHABETS = 10
MIXED_SHARES = (0.64, 0.75)


@dataclass(frozen=True, eq=False)
class Characters:
    """All characters in the author's order; compared and hashed by identity.

    Args:
        images: uint8, ink bright; shape (character, drawer, side, side). The n-th
            drawing of every character of one alphabet is by the same person.
        alphabet: Number of each character's alphabet; shape (character,).
        names: Names of the alphabets.
        evaluation: Whether each is of the author's evaluation set.
        vinyals: 0 train, 1 validation, 2 test: the split of Vinyals et al.
    """

    images: np.ndarray
    alphabet: np.ndarray
    names: tuple[str, ...]
    evaluation: np.ndarray
    vinyals: np.ndarray


def absent() -> str:
    """Name the file that is missing, or nothing."""
    return pack.absent(PACKED)


@lru_cache(maxsize=2)
def characters(side: int) -> Characters:
    """Return all characters, averaged down to side × side pixels.

    Raises:
        Refused: If the data is absent or not the known one.
    """
    held = pack.arrays(PACKED)
    return Characters(
        block_average(held["images"], side),
        held["alphabet"].astype(np.int64),
        tuple(str(name) for name in held["alphabets"]),
        held["is_evaluation"],
        held["vinyals_split"].astype(np.int64),
    )


@lru_cache(maxsize=8)
def pools(split: str) -> dict[str, np.ndarray]:
    """Return which characters each pool has, by the name of a split.

    Args:
        split: "vinyals": 1028 / 172 / 423; "author": the background set without
            Vinyals' validation alphabets, those, and the evaluation set: 792 / 172
            / 659; "mixed": every pool has characters of 40 alphabets, and
            "held_out" those of the 10 others.
    """
    return _SPLITS[split](characters(28))


def _vinyals(every: Characters) -> dict[str, np.ndarray]:
    return {
        name: np.flatnonzero(every.vinyals == place) for place, name in enumerate(POOLS)
    }


def _author(every: Characters) -> dict[str, np.ndarray]:
    validation = every.vinyals == 1
    return {
        "train": np.flatnonzero(~every.evaluation & ~validation),
        "validation": np.flatnonzero(validation),
        "test": np.flatnonzero(every.evaluation),
    }


def _mixed(every: Characters) -> dict[str, np.ndarray]:
    """Divide the characters of 40 alphabets, and leave 10 alphabets whole."""
    draw = np.random.Generator(np.random.Philox(key=Rng(0).child("omniglot").key()))
    order = draw.permutation(len(every.names))
    out = np.isin(every.alphabet, order[:HELD_OUT_ALPHABETS])
    pool = np.full(len(out), -1)
    for alphabet in order[HELD_OUT_ALPHABETS:]:
        mine = draw.permutation(np.flatnonzero(every.alphabet == alphabet))
        cuts = np.round(np.array(MIXED_SHARES) * len(mine)).astype(int)
        for place, some in enumerate(np.split(mine, cuts)):
            pool[some] = place
    found = {name: np.flatnonzero(pool == place) for place, name in enumerate(POOLS)}
    return found | {"held_out": np.flatnonzero(out)}


_SPLITS = {"vinyals": _vinyals, "author": _author, "mixed": _mixed}
