"""Omniglot: 1,623 handwritten characters of 50 alphabets, each by 20 writers.

Source: Lake, Salakhutdinov and Tenenbaum (2015), Science 350; MIT, © Brenden Lake.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from engine.contract.rng import Rng
from engine.data.sources import data_pack
from engine.data.sources.omniglot_zip_reader import SIDE, DrawingArchive, read_drawings
from engine.data.sources.resize import block_average

PACKED = "omniglot28.npz"
ARCHIVES = ("images_background.zip", "images_evaluation.zip")
POOLS = ("train", "validation", "test")

# The split of Vinyals et al. (2016), by alphabet; one alphabet is in two pools.
VALIDATION = frozenset(
    {"Armenian", "Bengali", "Early_Aramaic", "Hebrew", "Mkhedruli_(Georgian)"}
)
TEST = frozenset(
    {
        "Kannada",
        "Keble",
        "Malayalam",
        "Manipuri",
        "Mongolian",
        "Oriya",
        "Old_Church_Slavonic_(Cyrillic)",
        "Sylheti",
        "Syriac_(Serto)",
        "Tengwar",
        "Tibetan",
        "ULOG",
    }
)
CUT = ("Gurmukhi", 41)  # the last of its characters that is in the train pool
HELD_OUT_ALPHABETS = 10
# Where each alphabet is cut: 64 % train, 11 % validation, 25 % test.
MIXED_SHARES = (0.64, 0.75)


@dataclass(frozen=True, eq=False)
class CharacterSet:
    """All characters in the authors' order; compared and hashed by identity.

    Args:
        images: uint8, ink bright; shape (character, writer, side, side). Within an
            alphabet, the n-th drawing of every character is by the same writer.
        alphabet: Index of each character's alphabet; shape (character,).
        names: Names of the alphabets.
        evaluation: Whether it is in the authors' evaluation set; shape (character,).
        vinyals: Pool in the split of Vinyals et al.: 0 train, 1 validation, 2 test;
            shape (character,).
    """

    images: np.ndarray
    alphabet: np.ndarray
    names: tuple[str, ...]
    evaluation: np.ndarray
    vinyals: np.ndarray


def missing_source() -> str:
    """Return the name of the missing file; empty if either source is complete."""
    if not data_pack.missing_pack_file(PACKED) or not any(
        map(data_pack.missing_pack_file, ARCHIVES)
    ):
        return ""
    return f"{PACKED} (or, with a network: python -m engine data fetch omniglot)"


@lru_cache(maxsize=2)
def load_characters(side: int) -> CharacterSet:
    """Return all characters, averaged down to side × side pixels.

    Args:
        side: Pixels per side; a divisor of 28.

    Raises:
        Refused: If the data is absent or damaged.
    """
    if side != SIDE:
        whole = load_characters(SIDE)
        return replace(whole, images=block_average(whole.images, side))
    if data_pack.missing_pack_file(PACKED) and not missing_source():
        return _from_archives()
    held = data_pack.pack_arrays(PACKED)
    return CharacterSet(
        held["images"],
        held["alphabet"].astype(np.int64),
        tuple(str(name) for name in held["alphabets"]),
        held["is_evaluation"],
        held["vinyals_split"].astype(np.int64),
    )


def _from_archives() -> CharacterSet:
    """Read the authors' archives; background first, as in the packed array."""
    sets = [read_drawings(data_pack.pack_bytes(file)) for file in ARCHIVES]
    return join_archives(sets[0], sets[1])


def join_archives(
    background: DrawingArchive, evaluation: DrawingArchive
) -> CharacterSet:
    """Concatenate the two archives; alphabets are numbered in order of appearance.

    Args:
        background: The authors' background set.
        evaluation: Their evaluation set.
    """
    words = [*background.alphabet, *evaluation.alphabet]
    numbers = [*background.number, *evaluation.number]
    names = tuple(dict.fromkeys(words))
    place = {name: number for number, name in enumerate(names)}
    outside = [False] * len(background.number) + [True] * len(evaluation.number)
    return CharacterSet(
        np.concatenate([background.images, evaluation.images]),
        np.array([place[word] for word in words]),
        names,
        np.array(outside),
        np.array([vinyals_pool(*pair) for pair in zip(words, numbers, strict=True)]),
    )


def vinyals_pool(alphabet: str, number: int) -> int:
    """Return the pool of a character in the split of Vinyals et al.

    Args:
        alphabet: Name of its alphabet.
        number: Number of the character within it, from 1.

    Returns:
        0 train, 1 validation, 2 test.

    >>> vinyals_pool("Greek", 1), vinyals_pool("Hebrew", 1), vinyals_pool("Tibetan", 1)
    (0, 1, 2)
    >>> vinyals_pool("Gurmukhi", 41), vinyals_pool("Gurmukhi", 42)
    (0, 2)
    """
    if alphabet == CUT[0]:
        return 2 if number > CUT[1] else 0
    return 1 if alphabet in VALIDATION else 2 if alphabet in TEST else 0


@lru_cache(maxsize=8)
def split_pools(split: str) -> dict[str, np.ndarray]:
    """Return the indices of the characters of each pool.

    Args:
        split: "vinyals" has 1028 / 172 / 423 characters. "author" has 792 / 172 /
            659: the background set without the validation alphabets of Vinyals et
            al., those alphabets, and the evaluation set. In "mixed" every pool has
            characters of the same 40 alphabets, and "held_out" has the other 10.

    Returns:
        By pool, int64 indices; shape (character,).
    """
    return _SPLITS[split](load_characters(28))


def _vinyals_split(every: CharacterSet) -> dict[str, np.ndarray]:
    return {
        name: np.flatnonzero(every.vinyals == place) for place, name in enumerate(POOLS)
    }


def _author_split(every: CharacterSet) -> dict[str, np.ndarray]:
    validation = every.vinyals == 1
    return {
        "train": np.flatnonzero(~every.evaluation & ~validation),
        "validation": np.flatnonzero(validation),
        "test": np.flatnonzero(every.evaluation),
    }


def _mixed_split(every: CharacterSet) -> dict[str, np.ndarray]:
    """Split the characters of 40 alphabets, and hold out 10 whole alphabets."""
    # A fixed seed: the split is part of the data, not of a run.
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


_SPLITS = {"vinyals": _vinyals_split, "author": _author_split, "mixed": _mixed_split}


@dataclass(frozen=True, eq=False)
class OneShotBenchmark:
    """The authors' 20 episodes of 20 ways and one shot, each within one alphabet.

    Args:
        support: Character and writer of each way's example; shape (run, way, 2).
        query: Character and writer of each query; shape (run, query, 2).
        answer: The correct way of each query; shape (run, query).
    """

    support: np.ndarray
    query: np.ndarray
    answer: np.ndarray


@lru_cache(maxsize=1)
def one_shot_runs() -> OneShotBenchmark:
    """Return the 20 official episodes; the two image archives do not contain them.

    Raises:
        Refused: If the packed file is absent or damaged.
    """
    held = data_pack.pack_arrays(PACKED)
    parts = ("oneshot_support", "oneshot_query", "oneshot_answer")
    return OneShotBenchmark(*(held[name].astype(np.int64) for name in parts))
