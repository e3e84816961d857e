"""The tasks of Mosaic: real sets, drawn characters, and shapes made up.

Tasks with rows of the same shape are trained side by side, as one group.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.contract.rng import Rng
from engine.data.sources.glyph_classes import glyphs
from engine.data.sources.sklearn_sets import bundled
from engine.protocol import SampledFamily, generator
from engine.tasks.few_shot._distortions import Wildness, draw_shapes
from engine.tasks.optimization._tables import standardized
from engine.tasks.optimization.gaussians import Gaussians
from engine.tasks.optimization.rings import Rings

PARTS = ("train", "validation", "test")
SIDE = 8
_WILD = Wildness(affine=1.0, elastic=3.0, stroke=2.0, contrast=0.3)
_PLANE = {"turn": 0.0, "gain": 0.0}


@dataclass(frozen=True, eq=False)
class Task:
    """One classification task, its rows divided once and for all.

    Args:
        name: Of the task.
        x: Inputs of each part, standardized by the training rows; float32,
            shape (row, feature).
        y: Classes of each part; int64, shape (row,).
        classes: How many there are.
    """

    name: str
    x: dict[str, np.ndarray]
    y: dict[str, np.ndarray]
    classes: int

    @property
    def features(self) -> int:
        """Return how many inputs each row has."""
        return int(self.x["train"].shape[1])


Rows = tuple[np.ndarray, np.ndarray]
Counts = tuple[int, int, int]
# Rows of the three parts, one after the other.
Source = Callable[[Rng, Counts], Rows]


def _real(name: str, classes: range | None = None) -> Source:
    """Return the rows of a set that is brought along, or those of some classes."""

    def rows(rng: Rng, counts: Counts) -> Rows:
        table = bundled(name)
        keep = np.isin(table.y, classes or np.unique(table.y))
        x, y = table.x[keep], table.y[keep]
        order = generator(rng.child("split")).permutation(len(x))[: sum(counts)]
        return x[order], y[order] - y.min()

    return rows


def _pairs(name: str) -> Source:
    """Return pairs of rows of a set, of the class (first + second) mod classes.

    The rows of one part are in no pair of another.
    """

    def rows(rng: Rng, counts: Counts) -> Rows:
        table, draw = bundled(name), generator(rng.child("split"))
        shares = np.cumsum(counts) / sum(counts) * table.rows
        parts = np.split(draw.permutation(table.rows), shares[:2].astype(int))
        pairs = np.concatenate(
            [
                draw.choice(part, (count, 2))
                for part, count in zip(parts, counts, strict=True)
            ]
        )
        classes = table.y[pairs].sum(1) % len(table.classes)
        return table.x[pairs].reshape(len(pairs), -1), classes

    return rows


def _drawn(characters: str) -> Source:
    """Return characters of a font, drawn as by different hands."""

    def rows(rng: Rng, counts: Counts) -> Rows:
        count = sum(counts)
        known = glyphs()
        y = np.arange(count) % len(characters)
        each = np.array([known.characters.index(c) for c in characters])
        draw = generator(rng.child("data"))
        images = draw_shapes(known.depth[each[y]], SIDE, _WILD, draw)
        # Rounded, so that another library's last bit makes no other task.
        return np.round(images.reshape(count, -1).astype(np.float64), 4), y

    return rows


def _made(family: SampledFamily) -> Source:
    """Return rows of one task of a family, as it draws them."""

    def rows(rng: Rng, counts: Counts) -> Rows:
        count = sum(counts)
        sized = family.model_copy(update={"examples": count, "held_out": 2})
        sample = sized.sample(rng, "train")
        return sample.x.T.astype(np.float64), sample.y

    return rows


def _arms(arms: int, turns: float) -> Source:
    """Return points on spiral arms, each a class."""

    def rows(rng: Rng, counts: Counts) -> Rows:
        count = sum(counts)
        draw = generator(rng.child("data"))
        y = np.arange(count) % arms
        s = np.sqrt(draw.random(count))
        angle = 2 * np.pi * (turns * s + y / arms)
        x = 2 * s * np.stack([np.cos(angle), np.sin(angle)])
        return (x + 0.05 * draw.standard_normal(x.shape)).T, y

    return rows


def _rings(rings: int) -> Source:
    """Return points on rings around the origin, each a class."""

    def rows(rng: Rng, counts: Counts) -> Rows:
        draw, count = generator(rng.child("data")), sum(counts)
        y = np.arange(count) % rings
        angle = 2 * np.pi * draw.random(count)
        x = (y + 1) * np.stack([np.cos(angle), np.sin(angle)])
        return (x + 0.15 * draw.standard_normal(x.shape)).T, y

    return rows


def _board(squares: int, colors: int) -> Source:
    """Return points on a board whose squares take turns between classes."""

    def rows(rng: Rng, counts: Counts) -> Rows:
        draw, count = generator(rng.child("data")), sum(counts)
        x = draw.uniform(0.0, squares, (count, 2))
        return x, np.floor(x).astype(np.int64) @ [1, 2] % colors

    return rows


@dataclass(frozen=True)
class Group:
    """Tasks of one shape: how many rows each part has, and where they are from."""

    counts: Counts
    sources: dict[str, Source]


GROUPS = (
    Group(
        (256, 256, 512),
        {"rings": _made(Rings(rings=2, noise=0.2, **_PLANE))},
    ),
    Group(
        (256, 256, 512),
        {
            "four_rings": _rings(4),
            "four_arms": _arms(4, 0.5),
            "four_arms_tight": _arms(4, 1.0),
            "four_colors": _board(4, 4),
        },
    ),
    Group(
        (512, 256, 512),
        {
            "digits": _real("digits"),
            "glyph_digits": _drawn("0123456789"),
            "glyph_letters": _drawn("ABDEFGHJKM"),
        },
    ),
    Group(
        (384, 256, 256),
        {
            "digits_low": _real("digits", range(5)),
            "digits_high": _real("digits", range(5, 10)),
        },
    ),
    Group(
        (256, 256, 512),
        {"gaussians": _made(Gaussians(dimensions=8, classes=8, radius=1.5))},
    ),
    Group((384, 256, 512), {"iris_pairs": _pairs("iris")}),
    Group((384, 256, 512), {"wine_pairs": _pairs("wine")}),
    Group((384, 256, 512), {"cancer_pairs": _pairs("breast_cancer")}),
)


@lru_cache(maxsize=len(GROUPS))
def tasks_of(group: int, seed: int = 0) -> tuple[Task, ...]:
    """Return the tasks of one group, by its number."""
    known = GROUPS[group]
    return tuple(
        _task(name, source, known.counts, Rng(seed).child("mosaic", name))
        for name, source in known.sources.items()
    )


def _task(name: str, source: Source, counts: Counts, rng: Rng) -> Task:
    x, y = source(rng, counts)
    cuts = np.cumsum(counts)[:2]
    train, *held = np.split(x, cuts)
    first, _ = standardized(train, train)
    others = [standardized(train, part)[1] for part in held]
    return Task(
        name,
        dict(zip(PARTS, (first, *others), strict=True)),
        dict(zip(PARTS, np.split(y.astype(np.int64), cuts), strict=True)),
        int(y.max()) + 1,
    )
