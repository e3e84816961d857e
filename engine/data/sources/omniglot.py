"""Omniglot: 1,623 handwritten characters of 50 alphabets, each by 20 drawers.

Source: Lake, Salakhutdinov and Tenenbaum (2015), Science 350; MIT, © Brenden Lake.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from engine.contract.rng import Rng
from engine.data.sources import data_pack
from engine.data.sources.omniglot_archives import SIDE, DrawingArchive, read_drawings
from engine.data.sources.resize import block_average

PACKED = "omniglot28.npz"
ARCHIVES = ("images_background.zip", "images_evaluation.zip")
POOLS = ("train", "validation", "test")

# The split of Vinyals et al. (2016), by alphabet; one alphabet is cut in two.
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
CUT = ("Gurmukhi", 41)
HELD_OUT_ALPHABETS = 10
MIXED_SHARES = (0.64, 0.75)


@dataclass(frozen=True, eq=False)
class CharacterSet:
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


def missing_source() -> str:
    """Name the file that is missing, or nothing; either source is enough."""
    if not data_pack.missing_pack_file(PACKED) or not any(
        map(data_pack.missing_pack_file, ARCHIVES)
    ):
        return ""
    return f"{PACKED} (or, with a network: python -m engine data fetch omniglot)"


@lru_cache(maxsize=2)
def load_characters(side: int) -> CharacterSet:
    """Return all characters, averaged down to side × side pixels.

    Raises:
        Refused: If the data is absent or not the known one.
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
    """Read the author's archives: background first, as in the packed array."""
    sets = [read_drawings(data_pack.pack_bytes(file)) for file in ARCHIVES]
    return join_archives(sets[0], sets[1])


def join_archives(
    background: DrawingArchive, evaluation: DrawingArchive
) -> CharacterSet:
    """Put two archives behind each other."""
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
    """Return which characters each pool has, by the name of a split.

    Args:
        split: "vinyals": 1028 / 172 / 423; "author": the background set without
            Vinyals' validation alphabets, those, and the evaluation set: 792 / 172
            / 659; "mixed": every pool has characters of 40 alphabets, and
            "held_out" those of the 10 others.
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


_SPLITS = {"vinyals": _vinyals_split, "author": _author_split, "mixed": _mixed_split}


@dataclass(frozen=True, eq=False)
class OneShotBenchmark:
    """The author's 20 runs of 20 ways and one shot, each within one alphabet.

    Args:
        support: Character and drawer of each way's example; shape (run, way, 2).
        query: The same of the examples to be answered.
        answer: Way of each query; shape (run, query).
    """

    support: np.ndarray
    query: np.ndarray
    answer: np.ndarray


@lru_cache(maxsize=1)
def one_shot_runs() -> OneShotBenchmark:
    """Return the 20 official runs; the two image archives do not hold them.

    Raises:
        Refused: If the packed file is absent or not the known one.
    """
    held = data_pack.pack_arrays(PACKED)
    parts = ("oneshot_support", "oneshot_query", "oneshot_answer")
    return OneShotBenchmark(*(held[name].astype(np.int64) for name in parts))
