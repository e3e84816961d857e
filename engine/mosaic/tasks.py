"""The tasks of Mosaic: real data sets, rendered characters, and synthetic shapes.

Tasks with data of the same shape form a group, whose nets are trained in one batch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.contract.rng import Rng
from engine.data.sources.glyph_classes import build_glyph_classes
from engine.data.sources.sklearn_sets import load_bundled_set
from engine.protocol import SampledFamily, generator
from engine.tasks.few_shot._distortions import Distortion, draw_shapes
from engine.tasks.optimization._tables import standardize_columns
from engine.tasks.optimization.gaussians import Gaussians
from engine.tasks.optimization.rings import Rings

PARTS = ("train", "validation", "test")
SIDE = 8
_WILD = Distortion(affine=1.0, elastic=3.0, stroke=2.0, contrast=0.3)
_PLANE = {"turn": 0.0, "gain": 0.0}


@dataclass(frozen=True, eq=False)
class MosaicTask:
    """One classification task with a fixed split of its rows.

    Args:
        name: Name of the task.
        x: Inputs of each part, standardized by the training rows; float32,
            shape (row, feature).
        y: Classes of each part; int64, shape (row,).
        classes: Number of classes.
    """

    name: str
    x: dict[str, np.ndarray]
    y: dict[str, np.ndarray]
    classes: int

    @property
    def features(self) -> int:
        """Return the number of inputs."""
        return int(self.x["train"].shape[1])


RowArrays = tuple[np.ndarray, np.ndarray]
PartSizes = tuple[int, int, int]
# Draws the rows of the three parts, concatenated.
RowSource = Callable[[Rng, PartSizes], RowArrays]


def _bundled_rows(name: str, classes: range | None = None) -> RowSource:
    """Return rows of a bundled data set, optionally of some classes only."""

    def rows(rng: Rng, counts: PartSizes) -> RowArrays:
        table = load_bundled_set(name)
        keep = np.isin(table.y, classes or np.unique(table.y))
        x, y = table.x[keep], table.y[keep]
        order = generator(rng.child("split")).permutation(len(x))[: sum(counts)]
        return x[order], y[order] - y.min()

    return rows


def _pair_rows(name: str) -> RowSource:
    """Return pairs of rows, labeled (first + second class) mod the number of classes.

    Parts do not share rows.
    """

    def rows(rng: Rng, counts: PartSizes) -> RowArrays:
        table, draw = load_bundled_set(name), generator(rng.child("split"))
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


def _glyph_rows(characters: str) -> RowSource:
    """Return rendered characters of a font with handwriting-like distortions."""

    def rows(rng: Rng, counts: PartSizes) -> RowArrays:
        count = sum(counts)
        known = build_glyph_classes()
        y = np.arange(count) % len(characters)
        each = np.array([known.characters.index(c) for c in characters])
        draw = generator(rng.child("data"))
        images = draw_shapes(known.depth[each[y]], SIDE, _WILD, draw)
        # Rounded, so that a last-bit difference of a library gives the same task.
        return np.round(images.reshape(count, -1).astype(np.float64), 4), y

    return rows


def _family_rows(family: SampledFamily) -> RowSource:
    """Return rows of one task drawn from a family."""

    def rows(rng: Rng, counts: PartSizes) -> RowArrays:
        count = sum(counts)
        sized = family.model_copy(update={"examples": count, "held_out": 2})
        sample = sized.sample(rng, "train")
        return sample.x.T.astype(np.float64), sample.y

    return rows


def _arm_rows(arms: int, turns: float) -> RowSource:
    """Return points on spiral arms, one class per arm."""

    def rows(rng: Rng, counts: PartSizes) -> RowArrays:
        count = sum(counts)
        draw = generator(rng.child("data"))
        y = np.arange(count) % arms
        s = np.sqrt(draw.random(count))
        angle = 2 * np.pi * (turns * s + y / arms)
        x = 2 * s * np.stack([np.cos(angle), np.sin(angle)])
        return (x + 0.05 * draw.standard_normal(x.shape)).T, y

    return rows


def _ring_rows(rings: int) -> RowSource:
    """Return points on rings around the origin, one class per ring."""

    def rows(rng: Rng, counts: PartSizes) -> RowArrays:
        draw, count = generator(rng.child("data")), sum(counts)
        y = np.arange(count) % rings
        angle = 2 * np.pi * draw.random(count)
        x = (y + 1) * np.stack([np.cos(angle), np.sin(angle)])
        return (x + 0.15 * draw.standard_normal(x.shape)).T, y

    return rows


def _board_rows(squares: int, colors: int) -> RowSource:
    """Return points on a checkerboard whose squares alternate between classes."""

    def rows(rng: Rng, counts: PartSizes) -> RowArrays:
        draw, count = generator(rng.child("data")), sum(counts)
        x = draw.uniform(0.0, squares, (count, 2))
        return x, np.floor(x).astype(np.int64) @ [1, 2] % colors

    return rows


@dataclass(frozen=True)
class TaskGroup:
    """Tasks with data of one shape: rows per part, and the source of each task."""

    counts: PartSizes
    sources: dict[str, RowSource]


GROUPS = (
    TaskGroup(
        (256, 256, 512),
        {"rings": _family_rows(Rings(rings=2, noise=0.2, **_PLANE))},
    ),
    TaskGroup(
        (256, 256, 512),
        {
            "four_rings": _ring_rows(4),
            "four_arms": _arm_rows(4, 0.5),
            "four_arms_tight": _arm_rows(4, 1.0),
            "four_colors": _board_rows(4, 4),
        },
    ),
    TaskGroup(
        (512, 256, 512),
        {
            "digits": _bundled_rows("digits"),
            "glyph_digits": _glyph_rows("0123456789"),
            "glyph_letters": _glyph_rows("ABDEFGHJKM"),
        },
    ),
    TaskGroup(
        (384, 256, 256),
        {
            "digits_low": _bundled_rows("digits", range(5)),
            "digits_high": _bundled_rows("digits", range(5, 10)),
        },
    ),
    TaskGroup(
        (256, 256, 512),
        {"gaussians": _family_rows(Gaussians(dimensions=8, classes=8, radius=1.5))},
    ),
    TaskGroup((384, 256, 512), {"iris_pairs": _pair_rows("iris")}),
    TaskGroup((384, 256, 512), {"wine_pairs": _pair_rows("wine")}),
    TaskGroup((384, 256, 512), {"cancer_pairs": _pair_rows("breast_cancer")}),
)


@lru_cache(maxsize=len(GROUPS))
def group_tasks(group: int, seed: int = 0) -> tuple[MosaicTask, ...]:
    """Return the tasks of one group, by its index."""
    known = GROUPS[group]
    return tuple(
        _build_task(name, source, known.counts, Rng(seed).child("mosaic", name))
        for name, source in known.sources.items()
    )


def _build_task(
    name: str, source: RowSource, counts: PartSizes, rng: Rng
) -> MosaicTask:
    x, y = source(rng, counts)
    cuts = np.cumsum(counts)[:2]
    train, *held = np.split(x, cuts)
    first, _ = standardize_columns(train, train)
    others = [standardize_columns(train, part)[1] for part in held]
    return MosaicTask(
        name,
        dict(zip(PARTS, (first, *others), strict=True)),
        dict(zip(PARTS, np.split(y.astype(np.int64), cuts), strict=True)),
        int(y.max()) + 1,
    )
