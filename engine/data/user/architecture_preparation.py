"""From a user's table of trainings, in CSV or JSON, to the table that runs refer to.

A table that needs no change is stored as it is; any other becomes one of the form that
`architecture_csv` describes.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.contract.errors import Refused
from engine.data.sources.architecture_table import ArchitectureTable
from engine.data.user.architecture_columns import (
    ARCHITECTURE,
    SEED,
    ColumnRoles,
    find_roles,
    split_architecture,
)
from engine.data.user.architecture_csv import read_architectures, table_remarks
from engine.data.user.architecture_rows import OP, AccuracyUnit, guess_unit
from engine.data.user.architecture_source import read_training_rows
from engine.data.user.cell_values import NUMBER_MARKS
from engine.data.user.columns import parse_number
from engine.data.user.csv_reader import LIMIT
from engine.data.user.csv_store import CsvFile, path_bytes, read_csv
from engine.data.user.training_sheet import Ragged, Row, TrainingSheet, make_even

_ONE_SET = "data"


@dataclass(frozen=True)
class ArchitectureChoices:
    """What the user wants of a table of trainings.

    Args:
        columns: Roles of columns, such as "validation=acc".
        accuracy: "share", "percent", or "auto": judged for each data set.
        ragged: What happens where data sets have different architectures or lengths:
            "refuse", "common" (those that all have) or "failed" (others failed).
    """

    columns: tuple[str, ...] = ()
    accuracy: str = "auto"
    ragged: Ragged = "refuse"


@dataclass(frozen=True)
class PreparedArchitectures:
    """The table that runs refer to, and what was changed in the user's.

    Args:
        file: The file to store.
        table: What it holds.
        unit: The unit of its accuracies.
        remarks: What was judged or changed, one sentence each.
        changed: Whether the file is another than the user's.
    """

    file: CsvFile
    table: ArchitectureTable
    unit: AccuracyUnit
    remarks: tuple[str, ...]
    changed: bool


def prepare_architecture_path(
    path: Path, choices: ArchitectureChoices | None = None
) -> PreparedArchitectures:
    """Prepare a table named on the command line.

    Args:
        path: A CSV or JSON file.
        choices: What to do with it.

    Raises:
        Refused: If it cannot be read, or its contents are invalid.
    """
    return prepare_architectures(path_bytes(path, LIMIT), choices)


def prepare_architectures(
    data: bytes, choices: ArchitectureChoices | None = None
) -> PreparedArchitectures:
    """Prepare a table for runs.

    Args:
        data: The file's bytes.
        choices: What to do with it.

    Raises:
        Refused: If anything is wrong; the sentence names the line or the column.
    """
    choices = choices or ArchitectureChoices()
    if found := _plain_table(data, choices):
        return found
    names, rows, remarks = read_training_rows(data)
    roles = find_roles(names, choices.columns)
    sheet = _canonical_rows(names, rows, roles)
    sheet.remarks = [*remarks, *roles.remarks(), *sheet.remarks]
    sheet.remarks += _to_shares(sheet.rows, choices.accuracy)
    if choices.ragged != "refuse":
        sheet.remarks += make_even(sheet, choices.ragged)
    file = read_csv(_write(sheet))
    table = read_architectures(file.data, "share")
    told = (*sheet.remarks, *table_remarks(table))
    return PreparedArchitectures(file, table, "share", told, True)


def _plain_table(
    data: bytes, choices: ArchitectureChoices
) -> PreparedArchitectures | None:
    """Return the user's own file, if it has the form that runs read."""
    if choices != ArchitectureChoices():
        return None
    try:
        unit = guess_unit(data)
        table = read_architectures(data, unit)
        file = read_csv(data)
    except Refused:
        return None
    remarks = (f"accuracies are read as {unit}", *table_remarks(table))
    return PreparedArchitectures(file, table, unit, remarks, False)


def _canonical_rows(
    names: Sequence[str], rows: Iterator[Sequence[str]], roles: ColumnRoles
) -> TrainingSheet:
    """Return rows with the columns that `architecture_csv` describes.

    Raises:
        Refused: If accuracies or decisions are missing.
    """
    of = roles.by_role
    listed = ", ".join(names[:20])
    if "validation" not in of:
        raise Refused(
            f"no column is the validation accuracy; choose one of: {listed}",
            "validation",
        )
    if not roles.decisions and ARCHITECTURE not in of:
        raise Refused(
            f"no column is a decision, such as 'op:width'; choose some of: {listed}",
            "decision",
        )
    used = {*of.values(), *roles.decisions}
    rest = [name for name in names if name not in used]
    sheet = TrainingSheet([], rest, [])
    for cells in rows:
        row = dict(zip(names, cells, strict=True))
        if any(cell.strip() for cell in cells):
            sheet.rows.append(_canonical_row(row, roles, rest))
    if "dataset" not in of:
        sheet.remarks.append(
            f"there is no data set column; all rows are of {_ONE_SET!r}"
        )
    _check_decisions(sheet)
    sheet.properties = [name for name in rest if _is_numeric(name, sheet.rows)]
    words = [name for name in rest if name not in sheet.properties]
    if words:
        sheet.remarks.append(
            f"columns that are not numbers are left out: {', '.join(words[:8])}"
        )
    return sheet


def _canonical_row(row: Row, roles: ColumnRoles, rest: Sequence[str]) -> Row:
    of = roles.by_role
    found = {"dataset": row[of["dataset"]] if "dataset" in of else _ONE_SET}
    for name in roles.decisions:
        found[name if name.startswith(OP) else OP + name] = row[name]
    if not roles.decisions:
        pairs = split_architecture(row[of[ARCHITECTURE]])
        found |= {OP + name: option for name, option in pairs}
    for role in ("validation", "test", "cost", "epochs", SEED):
        if role in of:
            cell = row[of[role]].strip()
            if role in ("validation", "test"):
                cell = cell.removesuffix("%").rstrip()  # the numbers tell that, too
            found[role] = "" if cell.casefold() in NUMBER_MARKS else cell
    return found | {name: row[name].strip() for name in rest}


def _check_decisions(sheet: TrainingSheet) -> None:
    """Check that all architectures have the same decisions."""
    every = [[n for n in row if n.startswith(OP)] for row in sheet.rows]
    sheet.decisions = every[0] if every else []
    for at, found in enumerate(every):
        if found != sheet.decisions:
            raise Refused(
                f"row {at + 1} has an architecture of {len(found)} decisions, but the "
                f"first has {len(sheet.decisions)}; all must have the same",
                "column",
            )


def _is_numeric(name: str, rows: Sequence[Row]) -> bool:
    cells = [row[name] for row in rows if row[name].casefold() not in NUMBER_MARKS]
    return bool(cells) and all(parse_number(cell) is not None for cell in cells)


def _to_shares(rows: Sequence[Row], unit: str) -> Iterator[str]:
    """Make all accuracies shares; the unit is judged for each data set and column.

    Raises:
        Refused: If one is no percentage where its data set is in percent.
    """
    for column in ("validation", "test"):
        best: dict[str, float] = {}
        for row in rows:
            value = parse_number(row.get(column, ""))
            if value is not None:
                best[row["dataset"]] = max(value, best.get(row["dataset"], value))
        percent = {n for n, v in best.items() if unit == "percent" or v > 1.0}
        if unit == "share":
            percent = set()
        for line, row in enumerate(rows, 2):
            value = parse_number(row.get(column, ""))
            if value is not None and row["dataset"] in percent:
                if not 0 <= value <= 100:
                    raise Refused(
                        f"line {line}: {column!r} has {value:g}; accuracies in percent "
                        "are from 0 to 100: correct it, or empty the cell if the "
                        "training failed",
                        "accuracy",
                    )
                row[column] = repr(value / 100.0)
        shares = sorted(set(best) - percent)
        if percent and shares:
            yield (
                f"{column}: {', '.join(sorted(percent)[:4])} in percent, "
                f"{', '.join(shares[:4])} in shares; stored as shares"
            )
        elif best and column == "validation":
            yield f"accuracies are read as {'percent' if percent else 'share'}"


def _write(sheet: TrainingSheet) -> bytes:
    first = sheet.rows[0] if sheet.rows else {}
    fixed = [n for n in ("epochs", SEED, "validation", "test", "cost") if n in first]
    names = ["dataset", *sheet.decisions, *fixed, *sheet.properties]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in sheet.rows:
        cells = [row.get(name, "") for name in names]
        marks = set(sheet.properties)
        writer.writerow(
            "" if n in marks and c.casefold() in NUMBER_MARKS else c
            for n, c in zip(names, cells, strict=True)
        )
    return text.getvalue().encode()
