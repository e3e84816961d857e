"""The user's table of trained architectures, from a CSV file in long form.

One line per architecture and data set and, with learning curves, per length of
training. Columns, in any order:

- `dataset`: the data set it was trained on.
- `op:NAME`: the option chosen for a decision, one column per decision, read as text.
- `validation`: validation accuracy; an empty cell is a failed training.
- `epochs` (optional): length of the training.
- `test` (optional): test accuracy at the last epochs; default: validation accuracy.
- `cost` (optional): cost of the training so far, in any unit; default: its share of
  the longest training.
- `seed` (optional): which of several trainings; a search sees one of them.
- any other column is a numeric property of the trained architecture, such as
  `parameters`.

Combinations of options without a line count as failed trainings.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from engine.contract.errors import Refused
from engine.data.sources.architecture_table import ArchitectureTable
from engine.data.user.architecture_rows import (
    OP,
    SEED,
    AccuracyUnit,
    ArchitectureSheet,
    Line,
    LineKey,
    read_lines,
)
from engine.data.user.columns import parse_number
from engine.data.user.csv_store import read_own_bytes

# The most options per decision, data sets, lengths of training, and combinations.
OPTIONS, SETS, LENGTHS, SIZE = 64, 64, 64, 1_000_000
SEEDS = 60  # most seeds of the table, after repeating uneven ones
_EVEN = "; keep those that all have, or count what is missing as failed"


def load_own_architectures(digest: str, unit: AccuracyUnit) -> ArchitectureTable:
    """Return a stored file as a table of architectures.

    Args:
        digest: SHA-256 of the file.
        unit: Whether accuracies are shares, 0 to 1, or percent, 0 to 100.

    Raises:
        Refused: If it is not stored, or is not such a table.
    """
    return read_architectures(read_own_bytes(digest), unit)


def read_architectures(data: bytes, unit: AccuracyUnit = "share") -> ArchitectureTable:
    """Read a table of trained architectures.

    Args:
        data: The file's bytes.
        unit: Whether accuracies are shares, 0 to 1, or percent, 0 to 100.

    Raises:
        Refused: If anything is wrong; the sentence names the line or the column.
    """
    sheet = read_lines(data, unit)
    datasets = tuple(dict.fromkeys(key.dataset for key in sheet.lines))
    lengths = tuple(sorted({key.epochs for key in sheet.lines}))
    _check_count("data sets", len(datasets), SETS, "dataset")
    _check_count("lengths of training", len(lengths), LENGTHS, "epochs")
    options = _options(sheet)
    known = tuple(dict.fromkeys(key.options for key in sheet.lines))
    if len(known) < 2:
        raise Refused("this table has one architecture; a search needs at least two")
    _check_complete(sheet, datasets, known, lengths)
    return _build_table(sheet, (datasets, known, lengths), options)


def _check_count(what: str, count: int, most: int, column: str) -> None:
    if count > most:
        raise Refused(
            f"column {column!r} has {count:,} {what}; at most {most} are read"
        )


def _options(sheet: ArchitectureSheet) -> tuple[tuple[str, ...], ...]:
    """Return each decision's options, sorted as numbers if all are, else as texts.

    Raises:
        Refused: If there are too many, or too many combinations.
    """
    columns = zip(*(key.options for key in sheet.lines), strict=True)
    found = []
    for name, column in zip(sheet.decisions, columns, strict=True):
        texts = sorted(set(column))
        _check_count("options", len(texts), OPTIONS, OP + name)
        values = [parse_number(text) for text in texts]
        if None not in values:
            texts.sort(key=float)
        found.append(tuple(texts))
    size = math.prod(len(texts) for texts in found)
    if size > SIZE:
        raise Refused(
            f"these {len(found)} decisions have {size:,} combinations of options; at "
            f"most {SIZE:,} are allowed: drop decisions that hardly vary"
        )
    return tuple(found)


def _check_complete(
    sheet: ArchitectureSheet,
    datasets: Sequence[str],
    known: Sequence[tuple[str, ...]],
    lengths: Sequence[float],
) -> None:
    """Refuse a table unless all data sets have the same architectures and lengths."""
    having = Counter((k.dataset, k.options) for k in sheet.lines)
    counts = Counter(dataset for dataset, _ in having)
    for dataset in datasets:
        lacks = next((o for o in known if (dataset, o) not in having), None)
        if lacks is not None:
            raise Refused(
                f"data set {dataset[:40]!r} has {counts[dataset]:,} of {len(known):,} "
                f"architectures; each must have all; one that is missing: "
                f"{sheet.describe_architecture(lacks)}{_EVEN}",
                "ragged",
            )
    for (dataset, options), count in having.items():
        if count < len(lengths):
            there = (LineKey(dataset, options, e) in sheet.lines for e in lengths)
            first = next(e for e, t in zip(lengths, there, strict=True) if not t)
            raise Refused(
                f"{sheet.describe_architecture(options)} on {dataset[:40]!r} has "
                "no line at "
                f"{first:g} epochs, but others have{_EVEN}",
                "ragged",
            )


TableAxes = tuple[tuple[str, ...], tuple[tuple[str, ...], ...], tuple[float, ...]]


def _build_table(
    sheet: ArchitectureSheet, axes: TableAxes, options: tuple[tuple[str, ...], ...]
) -> ArchitectureTable:
    datasets, known, lengths = axes
    place = [{text: i for i, text in enumerate(texts)} for texts in options]
    codes = [[p[o] for p, o in zip(place, each, strict=True)] for each in known]
    groups = list(_ordered_lines(sheet, axes))
    shape = (len(known), len(datasets), len(lengths))
    signal = _signal(groups).reshape((*shape, -1))
    ends = groups[len(lengths) - 1 :: len(lengths)]
    last = [trainings[0] for trainings in ends]
    score = _mean_of_seeds(signal[..., -1, :])
    if "test" in sheet.columns:
        tests = [_mean_of_seeds(np.array([[*map(_test_accuracy, e)]])) for e in ends]
        score = np.array(tests).reshape(shape[:2])
    _check_scores(sheet, score, datasets)
    return ArchitectureTable(
        name="own architectures",
        positions=tuple(sheet.decisions),
        options=options,
        codes=np.array(codes, np.uint8),
        tasks=datasets,
        fidelities=lengths,
        signal=signal.astype(np.float32),
        score=score.astype(np.float32),
        cost=_costs(sheet, groups, lengths).reshape(shape).astype(np.float32),
        properties={
            name: np.array([line.properties[i] for line in last], np.float32).reshape(
                shape[:2]
            )
            for i, name in enumerate(sheet.properties)
            if not (sheet.repeats and name == SEED)
        },
        units=dict.fromkeys(
            (n for n in sheet.properties if not (sheet.repeats and n == SEED)), ""
        ),
        fidelity_unit="epochs" if "epochs" in sheet.columns else "trainings",
        cost_unit="cost" if "cost" in sheet.columns else "trainings",
    )


def _signal(groups: Sequence[Sequence[Line]]) -> np.ndarray:
    """Return the validation accuracy of each seed; shape (line, seed).

    Where there are 2 seeds here and 3 there, both are repeated up to 6, so that each is
    as likely as the others.
    """
    counts = {len(trainings) for trainings in groups}
    seeds = math.lcm(*counts)
    seeds = seeds if seeds <= SEEDS else max(counts)
    return np.array(
        [[t[i % len(t)].validation for i in range(seeds)] for t in groups], np.float64
    )


def _mean_of_seeds(found: np.ndarray) -> np.ndarray:
    """Return the mean over seeds, NaN only where all trainings failed."""
    there = np.isfinite(found)
    count = there.sum(-1)
    total = np.where(there, found, 0.0).sum(-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _ordered_lines(sheet: ArchitectureSheet, axes: TableAxes) -> Iterator[list[Line]]:
    """Yield the lines of all seeds in the order architecture, data set, length."""
    datasets, known, lengths = axes
    for options in known:
        for dataset in datasets:
            for epochs in lengths:
                yield sheet.trainings(LineKey(dataset, options, epochs))


def _test_accuracy(line: Line) -> float:
    """Return the test accuracy of a finished training.

    Raises:
        Refused: If it is missing although the training did not fail.
    """
    if math.isnan(line.test) and not math.isnan(line.validation):
        raise Refused(
            f"line {line.number}: 'test' is empty, but 'validation' is not; give all "
            "test accuracies at the last epochs, or leave the column out"
        )
    return line.test


def _check_scores(
    sheet: ArchitectureSheet, score: np.ndarray, datasets: Sequence[str]
) -> None:
    for place, dataset in enumerate(datasets):
        if np.isnan(score[:, place]).all():
            raise Refused(
                f"every training on {dataset[:40]!r} failed: 'validation' is empty in "
                "all its lines"
            )
    if sheet.unit == "percent" and np.nanmax(score) <= 0.01:
        raise Refused("no accuracy is above 1 percent; are they shares?", "accuracy")


def _costs(
    sheet: ArchitectureSheet, groups: Sequence[Sequence[Line]], lengths: Sequence[float]
) -> np.ndarray:
    if "cost" in sheet.columns:
        return np.array([sum(one.cost for one in g) / len(g) for g in groups])
    shares = np.array(lengths) / lengths[-1]
    return np.tile(shares, len(groups) // len(lengths))


def table_remarks(table: ArchitectureTable) -> tuple[str, ...]:
    """Return remarks on a table for the user, one sentence each."""
    size, remarks = math.prod(table.radix), []
    if table.count < size:
        remarks.append(
            f"{size - table.count:,} of {size:,} combinations of options are not in "
            "the file: for a search, their training fails"
        )
    failed = int(np.isnan(table.signal[..., -1, 0]).sum())
    if failed:
        remarks.append(f"failed trainings (empty validation cells): {failed:,}")
    seeds = table.signal.shape[3]
    if seeds > 1:
        remarks.append(
            f"a search sees one of the seeds of a training, of up to {seeds}"
        )
    remarks += _cost_remarks(table)
    if len(table.tasks) == 1:
        remarks.append(
            "there is only one data set: a strategy meta-trained on it and then "
            "searching it shows no transfer"
        )
    for name, options in zip(table.positions, table.options, strict=True):
        if len(options) == 1:
            remarks.append(f"decision {name!r} has only one option")
    for name, found in table.properties.items():
        if gaps := int(np.isnan(found).sum()):
            remarks.append(f"property {name!r} has empty cells: {gaps:,}")
    return tuple(remarks)


def _cost_remarks(table: ArchitectureTable) -> Iterator[str]:
    """Yield remarks on costs that cannot be those of a training up to its end."""
    if table.cost_unit != "cost":
        return
    steps = np.diff(table.cost, axis=2)
    falls, still = int((steps < 0).any(2).sum()), int((steps == 0).any(2).sum())
    if falls:
        yield (
            f"the cost of {falls:,} trainings falls with their length; it must be that "
            "of the whole training up to there"
        )
    elif still:
        yield f"the cost of {still:,} trainings stands still while they are longer"
    if table.count > 1 and np.ptp(table.cost[..., -1]) == 0:
        yield "every training has the same cost"
