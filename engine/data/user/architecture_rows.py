"""Parser of the lines of the user's architecture table, cell by cell.

Errors are refused in one sentence that names the line and the column.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from engine.contract.errors import Refused
from engine.contract.text_decoding import clean
from engine.data.user.columns import parse_number
from engine.data.user.csv_reader import read_header, read_rows, text_bytes

AccuracyUnit = Literal["share", "percent"]
OP = "op:"
SEED = "seed"  # a column of numbers that tells repeated trainings apart
KNOWN = ("dataset", "epochs", "validation", "test", "cost")
_SHOWN = 60  # characters of an architecture in a message


class LineKey(NamedTuple):
    """What identifies a line: no two lines may share it."""

    dataset: str
    options: tuple[str, ...]
    epochs: float


class Line(NamedTuple):
    """One line of the file; NaN where a cell is empty."""

    number: int
    key: LineKey
    validation: float
    test: float
    cost: float
    properties: tuple[float, ...]


@dataclass
class ArchitectureSheet:
    """The lines of a file, by key.

    Args:
        columns: Names of the columns.
        unit: Unit of the accuracies.
        lines: Each line by its key, in the order of the file.
        repeats: Further lines of a key, of other seeds.
    """

    columns: list[str]
    unit: AccuracyUnit
    lines: dict[LineKey, Line] = field(default_factory=dict)
    repeats: dict[LineKey, list[Line]] = field(default_factory=dict)

    def trainings(self, key: LineKey) -> list[Line]:
        """Return the lines of all seeds of a key."""
        return [self.lines[key], *self.repeats.get(key, ())]

    @cached_property
    def decision_columns(self) -> list[str]:
        """The columns of the decisions, such as "op:width"."""
        return [column for column in self.columns if column.startswith(OP)]

    @cached_property
    def decisions(self) -> list[str]:
        """The names of the decisions, without "op:"."""
        return [column.removeprefix(OP).strip() for column in self.decision_columns]

    @cached_property
    def properties(self) -> list[str]:
        """The names of the properties."""
        return [c for c in self.columns if c not in KNOWN and not c.startswith(OP)]

    def describe_architecture(self, options: Sequence[str]) -> str:
        """Return a short text for an architecture."""
        pairs = zip(self.decisions, options, strict=True)
        text = ", ".join(f"{name}={option}" for name, option in pairs)
        return f"architecture {text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}"


def read_lines(data: bytes, unit: AccuracyUnit) -> ArchitectureSheet:
    """Read the lines of a file.

    Args:
        data: The file's bytes.
        unit: Whether accuracies are shares, 0 to 1, or percent, 0 to 100.

    Raises:
        Refused: If anything is wrong; the sentence names the line or the column.
    """
    data = text_bytes(data)
    sheet = ArchitectureSheet(read_header(data), unit)
    _check_columns(sheet)
    for line, cells in read_rows(data, sheet.columns):
        _add_line(sheet, _parse_line(sheet, line, cells))
    return sheet


def guess_unit(data: bytes) -> AccuracyUnit:
    """Return the unit of the accuracies: percent if some are above 1, else shares.

    Args:
        data: The file's bytes.

    Raises:
        Refused: If the file is not a CSV file, or if some of its data sets look like
            percent and others like shares.
    """
    best = _best_by_dataset(text_bytes(data))
    shares = [name for name, value in best.items() if value <= 1.0]
    percent = [name for name, value in best.items() if value > 1.0]
    if shares and percent:
        raise Refused(
            f"the best accuracy of {clean(percent[0])!r} is {best[percent[0]]:g}, that "
            f"of {clean(shares[0])!r} is {best[shares[0]]:g}: some are percent, some "
            "shares; use one unit for the whole file"
        )
    return "percent" if percent else "share"


def _best_by_dataset(data: bytes) -> dict[str, float]:
    """Return the best validation accuracy of each data set that has any."""
    names = read_header(data)
    at = names.index("validation") if "validation" in names else 0
    place = names.index("dataset") if "dataset" in names else 0
    best: dict[str, float] = {}
    for _, cells in read_rows(data, names):
        value = parse_number(cells[at])
        if value is not None:
            best[cells[place]] = max(value, best.get(cells[place], value))
    return best


def _check_columns(sheet: ArchitectureSheet) -> None:
    for name in ("dataset", "validation"):
        if name not in sheet.columns:
            raise Refused(
                f"this table has no column {name!r}; it has: {_column_names(sheet)}"
            )
    if not sheet.decisions:
        raise Refused(
            f"this table has no decision column, such as 'op:width'; it has: "
            f"{_column_names(sheet)}"
        )
    if "" in sheet.decisions:
        raise Refused("column 'op:' lacks the name of a decision")
    for place, name in enumerate(sheet.decisions):
        if name in sheet.decisions[:place]:
            raise Refused(f"two columns are for the same decision {name!r}")


def _column_names(sheet: ArchitectureSheet) -> str:
    return ", ".join(sheet.columns[:20])


def _parse_line(sheet: ArchitectureSheet, line: int, cells: Sequence[str]) -> Line:
    """Read the cells of one line.

    Raises:
        Refused: With the line and the column.
    """
    of = dict(zip(sheet.columns, cells, strict=True))
    dataset, *options = (
        _parse_text(of, name, line) for name in ("dataset", *sheet.decision_columns)
    )
    epochs = _parse_positive(of, "epochs", line)
    validation = _parse_accuracy(of, "validation", line, sheet.unit)
    return Line(
        line,
        LineKey(dataset, tuple(options), epochs),
        validation,
        _parse_accuracy(of, "test", line, sheet.unit),
        _parse_positive(of, "cost", line),
        tuple(_parse_number(of, name, line) for name in sheet.properties),
    )


def _parse_text(of: dict[str, str], name: str, line: int) -> str:
    """Return a cell's text.

    Raises:
        Refused: If there is none.
    """
    found = clean(of[name])
    if not found:
        raise Refused(f"line {line}: {name!r} is empty")
    return found


def _parse_number(of: dict[str, str], name: str, line: int) -> float:
    """Return a cell's number; NaN where it is empty."""
    cell = of[name].strip()
    value = parse_number(cell) if cell else math.nan
    # 1e30 leaves room in float32, in which the table is kept.
    if value is None or math.isinf(value) or abs(value) > 1e30:
        hint = "" if name in KNOWN else "; properties are numbers, drop other columns"
        if name == "validation":
            hint = "; leave the cell of a failed training empty"
        raise Refused(
            f"line {line}: {name!r} has {cell[:20]!r}, which is not a finite "
            f"number{hint}"
        )
    return value


def _parse_positive(of: dict[str, str], name: str, line: int) -> float:
    """Return a positive number; 1 if there is no such column."""
    if name not in of:
        return 1.0
    value = _parse_number(of, name, line)
    if not value > 0:
        text = of[name].strip()[:20] or "nothing"
        raise Refused(f"line {line}: {name!r} has {text}; it must be above 0")
    return value


def _parse_accuracy(
    of: dict[str, str], name: str, line: int, unit: AccuracyUnit
) -> float:
    """Return a share; NaN if the cell is empty or there is no such column."""
    if name not in of:
        return math.nan
    value, most = _parse_number(of, name, line), 100.0 if unit == "percent" else 1.0
    if value < 0 or value > most:
        hint = "; are they percent?" if unit == "share" and 1 < value <= 100 else ""
        raise Refused(
            f"line {line}: {name!r} has {value:g}; accuracies given as {unit} are "
            f"from 0 to {most:g}{hint}",
            "accuracy",
        )
    return value / most


def _add_line(sheet: ArchitectureSheet, line: Line) -> None:
    """Add a line.

    Raises:
        Refused: If there is one with the same key, or it contradicts itself.
    """
    other = sheet.lines.setdefault(line.key, line)
    if other is not line and SEED in sheet.columns:
        at = sheet.properties.index(SEED)
        seeds = [each.properties[at] for each in sheet.trainings(line.key)]
        if line.properties[at] not in seeds:
            sheet.repeats.setdefault(line.key, []).append(line)
            other = line
    if other is not line:
        more = f" at {line.key.epochs:g} epochs" if "epochs" in sheet.columns else ""
        raise Refused(
            f"lines {other.number} and {line.number} are both "
            f"{sheet.describe_architecture(line.key.options)} on "
            f"{line.key.dataset[:40]!r}{more}; "
            "give each repeated training its seed in a column 'seed', or average them"
        )
    if "test" in sheet.columns and math.isnan(line.validation) > math.isnan(line.test):
        raise Refused(
            f"line {line.number}: 'test' is given, but 'validation' is empty, which "
            "means a failed training"
        )
