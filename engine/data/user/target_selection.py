"""From the user's CSV file to a data table: the target column, and what is dropped."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import numpy as np

from engine.contract.errors import Refused
from engine.data.sources.supervised_table import DataTable
from engine.data.user.columns import Column, parse_number
from engine.data.user.csv_reader import read_rows
from engine.data.user.csv_store import PIECE, CsvFile, read_csv, read_own_bytes

CLASSES, LEAST = 100, 6  # most classes; fewest rows per class, for three pools


class TargetOptions(NamedTuple):
    """How a run uses a file.

    Args:
        target: Name of the column to predict.
        answers: "classes", read as text even if they are numbers, or "value".
        text: Columns that are not numbers: "refuse" or "drop".
        empty: Empty cells: "refuse", "drop" their rows, or "mean" of the training
            rows of each task; rows without an answer are then dropped.
        rare: Classes with fewer than 6 rows: "refuse" or "drop".
    """

    target: str
    answers: str = "classes"
    text: str = "refuse"
    empty: str = "refuse"
    rare: str = "refuse"


@lru_cache(maxsize=2)
def load_own_table(digest: str, choices: TargetOptions) -> DataTable:
    """Return a stored file as a table.

    Args:
        digest: SHA-256 of the file.
        choices: How to use it.

    Raises:
        Refused: If it is not stored, or the choices do not fit it.
    """
    return select_target(read_csv(read_own_bytes(digest)), choices)


def select_target(table: CsvFile, choices: TargetOptions) -> DataTable:
    """Turn a file into inputs and answers.

    Args:
        table: The file.
        choices: The target, and what to drop.

    Raises:
        Refused: With the obstacle, and the choice that removes it.
    """
    target = table.column(choices.target)
    if choices.answers == "value" and target.kind != "number":
        raise Refused(
            f"{target.name!r} {target.note}; to predict a value, choose a column of "
            "numbers",
            "target",
        )
    x, texts = _read_columns(table, feature_columns(table, choices), target)
    x, texts = _drop_gaps(x, texts, choices)
    if choices.answers == "value":
        return DataTable(x, _parse_values(texts, target))
    return _class_table(x, texts, choices)


def feature_columns(table: CsvFile, choices: TargetOptions) -> list[Column]:
    """Return the input columns.

    Args:
        table: The file.
        choices: The target, and what to drop.

    Raises:
        Refused: If some are not numbers and are not to be dropped, or none is left.
    """
    others = [c for c in table.columns if c.name != choices.target]
    unfit = [c for c in others if c.kind != "number"]
    if unfit and choices.text == "refuse":
        listed = ", ".join(f"{c.name} ({c.note})" for c in unfit[:8])
        more = f" and {len(unfit) - 8} more" if len(unfit) > 8 else ""
        raise Refused(
            f"these columns are not numbers: {listed}{more}; drop them, or change the "
            "file",
            "text",
        )
    kept = [c for c in others if c.kind == "number"]
    if not kept:
        raise Refused("no column of numbers is left as an input", "target")
    return kept


def _read_columns(
    table: CsvFile, kept: list[Column], target: Column
) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (row, feature), NaN where empty, and the answers as text (row,)."""
    names = [column.name for column in table.columns]
    places = [names.index(column.name) for column in kept]
    answer = names.index(target.name)
    x = np.empty((table.rows, len(kept)))
    texts: list[str] = []
    # In pieces: all cells of a large file as Python texts would need gigabytes.
    found = read_rows(table.data, names)
    while piece := list(islice(found, PIECE)):
        done = len(texts)
        columns = list(zip(*(cells for _, cells in piece), strict=True))
        for at, place in enumerate(places):
            x[done : done + len(piece), at] = [
                _parse_float(cell) for cell in columns[place]
            ]
        texts += columns[answer]
    return x, np.array(texts, dtype=object)


def _parse_float(cell: str) -> float:
    return float(cell) if cell.strip(" ") else float("nan")


def _drop_gaps(
    x: np.ndarray, texts: np.ndarray, choices: TargetOptions
) -> tuple[np.ndarray, np.ndarray]:
    unanswered = np.array([not text.strip(" ") for text in texts])
    gaps = np.isnan(x).any(axis=1)
    if choices.empty == "refuse" and (gaps.any() or unanswered.any()):
        count = int((gaps | unanswered).sum())
        raise Refused(
            f"{count:,} of {len(x):,} rows have an empty cell; drop them, or use "
            "the training mean instead",
            "empty",
        )
    kept = ~unanswered if choices.empty == "mean" else ~(unanswered | gaps)
    if not kept.any():
        raise Refused("every row has an empty cell", "empty")
    return x[kept], texts[kept]


def _parse_values(texts: np.ndarray, target: Column) -> np.ndarray:
    if target.constant:
        raise Refused(f"every value of {target.name!r} is the same", "target")
    return np.array([float(text) for text in texts])


def _class_table(x: np.ndarray, texts: np.ndarray, choices: TargetOptions) -> DataTable:
    """Return a table of classes, named by the unchanged texts of the cells."""
    names = sorted(set(texts))
    _check_count(names, choices)
    place = {name: number for number, name in enumerate(names)}
    y = np.array([place[text] for text in texts])
    counts = np.bincount(y)
    rare = counts < LEAST
    if rare.any() and choices.rare == "refuse":
        first = int(np.flatnonzero(rare)[0])
        raise Refused(
            f"{int(rare.sum())} of {len(names)} classes have fewer than {LEAST} rows, "
            f"such as {names[first][:40]!r} with {counts[first]}; leave rare "
            "classes out, or choose another column",
            "rare",
        )
    kept = ~rare[y]
    classes = tuple(name for name in names if not rare[place[name]])
    _check_count(classes, choices)
    number = np.cumsum(~rare) - 1  # the new index of each class that is kept
    return DataTable(x[kept], number[y[kept]], classes)


def _check_count(names: Sequence[str], choices: TargetOptions) -> None:
    if len(names) < 2:
        raise Refused(
            f"{choices.target!r} has {len(names)} classes with enough rows; at least 2 "
            "are needed",
            "target",
        )
    if len(names) > CLASSES:
        raise Refused(
            f"{choices.target!r} has {len(names):,} classes; at most {CLASSES} are "
            "allowed; is it a value?",
            "target",
        )


def similar_classes(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return classes that differ only in blanks, case or how a number is written.

    >>> similar_classes(("alder", "Alder ", "birch", "1", "1.0"))
    [('alder', 'Alder '), ('1', '1.0')]
    """
    alike: dict[object, list[str]] = {}
    for name in names:
        number = parse_number(name.strip())
        key = " ".join(name.split()).casefold() if number is None else number
        alike.setdefault(key, []).append(name)
    return [tuple(group) for group in alike.values() if len(group) > 1]


def class_remarks(names: Sequence[str]) -> list[str]:
    """Return a remark for each group of classes that may be one, in one sentence."""
    return [
        f"{' and '.join(repr(name[:40]) for name in group)} are counted as different "
        "classes; if they are one, write them alike in the file"
        for group in similar_classes(names)
    ]
