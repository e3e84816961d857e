"""From the user's CSV file to a data table: the target column, and what is dropped."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import numpy as np

from engine.contract.errors import Refused
from engine.data.sources.supervised_table import DataTable
from engine.data.user.columns import Column, parse_number
from engine.data.user.csv_reader import read_rows
from engine.data.user.csv_store import PIECE, CsvFile, read_csv, read_own_bytes
from engine.data.user.data_splits import GROUPS, pool_numbers

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
        split: The column that says which rows are for training, validation and test;
            empty for none.
        shift: The column that says which rows are another distribution; empty for none.
    """

    target: str
    answers: str = "classes"
    text: str = "refuse"
    empty: str = "refuse"
    rare: str = "refuse"
    split: str = ""
    shift: str = ""


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
    labels = [target, *_row_labels(table, choices)]
    x, texts = _read_columns(table, feature_columns(table, choices), labels)
    kept = _complete_rows(x, texts, choices)
    x, texts = x[kept], texts[:, kept]
    if choices.answers == "value":
        found = DataTable(x, _parse_values(texts[0], target))
    else:
        found, rows = _class_table(x, texts[0], choices)
        texts = texts[:, rows]
    return _with_labels(found, texts[1:], choices)


def _row_labels(table: CsvFile, choices: TargetOptions) -> list[Column]:
    """Return the columns that say what a row is for: of the split, of the shift."""
    return [table.column(name) for name in (choices.split, choices.shift) if name]


def _with_labels(
    found: DataTable, texts: np.ndarray, choices: TargetOptions
) -> DataTable:
    """Return a table with the pool and the group of each row.

    Args:
        found: The table.
        texts: The cells of the columns of split and shift; shape (column, row).
        choices: Which of them there are.
    """
    pool, group, groups = None, None, ()
    if choices.split:
        pool = pool_numbers(texts[0], found.x)
    if choices.shift:
        groups = tuple(sorted(set(texts[-1])))
        if not 2 <= len(groups) <= GROUPS:
            raise Refused(
                f"column {choices.shift!r} has {len(groups):,} different values, and a "
                f"shift has 2 to {GROUPS}: choose a column of groups, or group dates "
                "by a longer or shorter period",
                "shift",
            )
        place = {name: at for at, name in enumerate(groups)}
        group = np.array([place[text] for text in texts[-1]])
    if pool is None and group is None:
        return found
    return replace(found, pool=pool, group=group, groups=groups)


def feature_columns(table: CsvFile, choices: TargetOptions) -> list[Column]:
    """Return the input columns.

    Args:
        table: The file.
        choices: The target, and what to drop.

    Raises:
        Refused: If some are not numbers and are not to be dropped, or none is left.
    """
    named = (choices.target, choices.split, choices.shift)
    others = [c for c in table.columns if c.name not in named]
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
    table: CsvFile, kept: list[Column], labels: list[Column]
) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (row, feature), NaN where empty; labels as text (label, row)."""
    names = [column.name for column in table.columns]
    places = [names.index(column.name) for column in kept]
    answers = [names.index(column.name) for column in labels]
    x = np.empty((table.rows, len(kept)))
    texts = np.empty((len(labels), table.rows), dtype=object)
    done = 0
    # In pieces: all cells of a large file as Python texts would need gigabytes.
    found = read_rows(table.data, names)
    while piece := list(islice(found, PIECE)):
        columns = list(zip(*(cells for _, cells in piece), strict=True))
        for at, place in enumerate(places):
            x[done : done + len(piece), at] = [
                _parse_float(cell) for cell in columns[place]
            ]
        for at, place in enumerate(answers):
            texts[at, done : done + len(piece)] = columns[place]
        done += len(piece)
    return x, texts


def _parse_float(cell: str) -> float:
    return float(cell) if cell.strip(" ") else float("nan")


def _complete_rows(
    x: np.ndarray, texts: np.ndarray, choices: TargetOptions
) -> np.ndarray:
    """Return which rows are used; a row without a label never is."""
    blank = np.array([[not text.strip(" ") for text in row] for row in texts])
    unanswered = np.asarray(blank.any(axis=0))
    gaps = np.isnan(x).any(axis=1)
    if choices.empty == "refuse" and (gaps.any() or unanswered.any()):
        count = int((gaps | unanswered).sum())
        raise Refused(
            f"{count:,} of {len(x):,} rows {'has' if count == 1 else 'have'} an empty "
            "cell; drop them, or use "
            "the training mean instead",
            "empty",
        )
    kept = ~unanswered if choices.empty == "mean" else ~(unanswered | gaps)
    if not kept.any():
        raise Refused("every row has an empty cell", "empty")
    return kept


def _parse_values(texts: np.ndarray, target: Column) -> np.ndarray:
    if target.constant:
        raise Refused(f"every value of {target.name!r} is the same", "target")
    return np.array([float(text) for text in texts])


def _class_table(
    x: np.ndarray, texts: np.ndarray, choices: TargetOptions
) -> tuple[DataTable, np.ndarray]:
    """Return a table of classes, named by the cells' texts, and which rows it has."""
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
    return DataTable(x[kept], number[y[kept]], classes), kept


def _check_count(names: Sequence[str], choices: TargetOptions) -> None:
    if len(names) < 2:
        raise Refused(
            f"{('no class', 'only one class')[len(names)]} of {choices.target!r} has "
            "enough rows; at least 2 classes are needed",
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
        "classes; join them if they are one"
        for group in similar_classes(names)
    ]
