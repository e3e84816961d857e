"""Tasks from tables of real data: each samples classes, features and rows."""

from abc import abstractmethod
from functools import lru_cache
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.data.sources import sklearn_sets
from engine.data.sources.supervised_table import DataTable
from engine.protocol import Sample, generator
from engine.tasks import knobs
from engine.tasks.optimization._row_pools import RowPool, split_table
from engine.tasks.optimization._supervised import DataFamily

# Smallest deviation of a column scaled to 1; anything less is rounding error.
FLAT = 1e-10
# Clip of held-out values, in standard deviations: still fits a float32.
FAR = 1e30


class TableSampling(NamedTuple):
    """What each task takes from a table.

    Args:
        examples: Number of training rows.
        held_out: Number of held-out rows.
        classes: Number of classes; 0 for all.
        features: Number of features; 0 for all.
        view: "subset" of the features, or random "projection".
    """

    examples: int
    held_out: int
    classes: int
    features: int
    view: str


class TableFamily(DataFamily):
    """Base class of families that sample their tasks from one table."""

    pooled: ClassVar[bool] = True

    examples: int = knobs.examples(64)
    held_out: int = knobs.held_out(48)
    features: int = knobs.features(0, high=200)
    view: Literal["subset", "projection"] = knob(
        "subset",
        label="Features are",
        help="A random subset of the features, or random projections of all of them.",
    )

    @abstractmethod
    def table(self) -> DataTable:
        """Return the rows; always the same object, since caches key on it."""

    def table_sampling(self) -> TableSampling:
        """Return what a task takes from the table, by the family's knobs."""
        classes = getattr(self, "classes", 0)
        return TableSampling(
            self.examples, self.held_out, classes, self.features, self.view
        )

    def fit_points(self) -> dict[str, int]:
        """Return knobs for the numbers of points, where the present ones do not fit.

        Two thirds of the smallest pool become training points, the others are held out;
        empty if the present numbers fit.
        """
        table, cut = self.table(), self.table_sampling()
        _, most = smallest_pool(table, cut)
        if cut.examples + cut.held_out <= most:
            return {}
        examples = max(_class_count(table, cut), 2 * most // 3)
        return {"examples": examples, "held_out": most - examples}

    def check(self) -> None:
        """Check that every pool has enough rows for a task."""
        check_sampling(self.table(), self.table_sampling())

    def sample(self, rng: Rng, pool: str) -> Sample:
        """Draw classes, rows and features from a pool; see `draw_rows`."""
        table, cut = self.table(), self.table_sampling()
        check_sampling(table, cut)
        return draw_rows(table, pool, cut, rng)


class BundledTableFamily(TableFamily):
    """Base class of families of a table bundled with scikit-learn.

    Attributes:
        bundled: Name of the table in scikit-learn.
    """

    bundled: ClassVar[str]

    @classmethod
    def missing_file(cls) -> str:
        """Return which file this family lacks; empty if none."""
        return sklearn_sets.missing_bundled_file(cls.bundled)

    def table(self) -> DataTable:
        """Return the set's rows."""
        return sklearn_sets.load_bundled_set(self.bundled)


@lru_cache(maxsize=64)
def check_sampling(table: DataTable, cut: TableSampling) -> None:
    """Check that every pool has enough rows, classes and features for a task.

    Args:
        table: The whole table.
        cut: What each task takes.

    Raises:
        Refused: If not; the message gives the request and the limit.
    """
    division = split_table(table)
    most = len(division.usable)
    if table.classes and cut.classes > most:
        raise Refused(
            f"Classes is {cut.classes}; this set has {most} with enough rows", "classes"
        )
    if cut.features > table.features:
        raise Refused(
            f"Features is {cut.features}; this set has {table.features}", "features"
        )
    classes = _class_count(table, cut)
    if cut.examples < classes:
        raise Refused(
            f"Training points is {cut.examples}; with {classes} classes, at least "
            f"{classes} are needed",
            "examples",
        )
    asked, (name, most_rows) = cut.examples + cut.held_out, smallest_pool(table, cut)
    if asked > most_rows:
        raise Refused(
            f"Training and held-out points are {asked} together; a task can take at "
            f"most {most_rows}, from the {name} pool",
            "examples",
        )


def smallest_pool(table: DataTable, cut: TableSampling) -> tuple[str, int]:
    """Return the pool with the fewest rows for a task, and how many it always has.

    Args:
        table: The whole table.
        cut: Its number of classes counts; sizes do not.
    """
    division, classes = split_table(table), _class_count(table, cut)
    found = {
        name: _fewest_rows(pool, division.usable, classes)
        for name, pool in division.pools.items()
    }
    name = min(found, key=lambda each: found[each])
    return name, found[name]


def _class_count(table: DataTable, cut: TableSampling) -> int:
    return (cut.classes or len(split_table(table).usable)) if table.classes else 1


def _fewest_rows(pool: RowPool, usable: np.ndarray, classes: int) -> int:
    """Return the number of rows that a task can always draw, whatever its classes.

    Rows with the same inputs never go to both sides, which can cost some.
    """
    counts = np.sort(pool.counts(int(usable.max()) + 1)[usable])
    return int(counts[:classes].sum()) - (pool.largest_group() - 1)


def draw_rows(table: DataTable, pool: str, cut: TableSampling, rng: Rng) -> Sample:
    """Draw one task.

    Args:
        table: The whole table.
        pool: "train", "validation" or "test".
        cut: What to take; `check_sampling` must allow it.
        rng: The task's stream.

    Returns:
        Training rows, one of each class first, and held-out rows; no two of them, one
        from each side, have the same inputs. Classes are renumbered from 0. Inputs,
        and regression targets, have mean 0 and variance 1 over the training rows.
    """
    division, draw = split_table(table), generator(rng.child("data"))
    rows = division.pools[pool]
    chosen = draw.permutation(division.usable)[: _class_count(table, cut)]
    number = np.full(max(len(table.classes), 1), -1)
    number[chosen] = np.arange(len(chosen))
    train, held = _split(rows, number, cut, draw)
    x, held_x = _draw_inputs(table, (rows.rows[train], rows.rows[held]), cut, draw)
    if table.classes:
        y, held_y = number[rows.labels[train]], number[rows.labels[held]]
        return Sample(x, y, held_x, held_y, outputs=len(chosen))
    y, held_y = standardize_columns(
        table.y[rows.rows[train], None], table.y[rows.rows[held], None]
    )
    return Sample(x, y[:, 0], held_x, held_y[:, 0], outputs=1)


def _split(
    pool: RowPool, number: np.ndarray, cut: TableSampling, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Choose positions in the pool to train on, and others to hold out."""
    # A random key per group, so that rows with the same inputs sort together.
    keys = draw.random(pool.groups)
    mine = np.flatnonzero(number[pool.labels] >= 0)
    group, label = pool.group[mine], number[pool.labels[mine]]
    for each in range(int(number.max()) + 1):
        of_class = group[label == each]
        # One row of each class comes first, so that none is absent from training.
        keys[of_class[keys[of_class].argmin()]] -= 1.0
    key = keys[group]
    order = np.argsort(key, kind="stable")
    # Held-out rows start after the last training row's group.
    edge = np.searchsorted(key[order], key[order[cut.examples - 1]], side="right")
    held = order[edge : edge + cut.held_out]
    return mine[order[: cut.examples]], mine[held]


def _draw_inputs(
    table: DataTable,
    rows: tuple[np.ndarray, np.ndarray],
    cut: TableSampling,
    draw: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (feature, example) of the training and of the held-out rows."""
    x, held = table.x[rows[0]], table.x[rows[1]]
    count = cut.features or table.features
    if cut.view == "subset" and cut.features:
        columns = draw.permutation(table.features)[:count]
        x, held = x[:, columns], held[:, columns]
    x, held = standardize_columns(x, held)
    if cut.view == "projection":
        # Standardized before, so that units do not matter, and after, like the rest.
        mix = draw.standard_normal((table.features, count))
        x, held = standardize_columns(x @ mix, held @ mix)
    return x.T, held.T


def standardize_columns(
    x: np.ndarray, held: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Standardize columns by the training rows' mean and standard deviation.

    A column that is constant over the training rows becomes 0, and an empty cell
    (NaN) the training mean: nothing leaks from the held-out rows.

    Args:
        x: Training rows; shape (row, feature).
        held: Held-out rows; shape (row, feature).

    Returns:
        Both, standardized; float32, the same shapes.

    >>> train = np.array([[1.0, 7], [3, 7]])
    >>> x, held = standardize_columns(train, np.array([[5.0, 8]]))
    >>> x.tolist(), held.tolist()
    ([[-1.0, 0.0], [1.0, 0.0]], [[3.0, 0.0]])
    """
    # Divided by the largest cell first, so that squares neither overflow nor vanish.
    size = np.nanmax(np.abs(x), axis=0, initial=0.0)
    size = np.where(size > 0, size, 1.0)
    with np.errstate(over="ignore"):
        x, held = x / size, held / size
    # Empty cells count neither in the mean nor in the deviation.
    there = np.isfinite(x)
    count = np.maximum(there.sum(0), 1)
    mean = np.where(there, x, 0.0).sum(0) / count
    gap = np.where(there, x - mean, 0.0)
    deviation = np.sqrt((gap * gap).sum(0) / count)
    factor = np.where(deviation > FLAT, 1.0 / np.maximum(deviation, FLAT), 0.0)
    out = np.where(factor > 0, np.nan_to_num((held - mean) * factor), 0.0)
    return (gap * factor).astype(np.float32), out.clip(-FAR, FAR).astype(np.float32)
