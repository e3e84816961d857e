"""The rows of a user's table of trainings, from CSV or JSON, as texts."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.contract.errors import Refused
from engine.data.user.architecture_columns import ARCHITECTURE
from engine.data.user.cell_values import plain_number
from engine.data.user.csv_reader import ROWS, text_bytes
from engine.data.user.table_reader import read_table


def read_training_rows(
    data: bytes,
) -> tuple[list[str], Iterator[Sequence[str]], list[str]]:
    """Return column names, rows and remarks of a CSV or JSON file.

    Args:
        data: The file's bytes.

    Raises:
        Refused: If it is neither, or the JSON has another form.
    """
    start = text_bytes(data).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"[", b"{"):
        names, objects = _json_rows(text_bytes(data))
        return names, iter(objects), []
    table = read_table(data)
    rows: Iterator[Sequence[str]] = (r for piece in table.pieces() for r in piece)
    forms = [c.form if c.form not in ("", "plain") else "" for c in table.columns]
    if any(forms):
        rows = (
            [
                plain_number(cell, form) if form and cell.strip() else cell
                for cell, form in zip(row, forms, strict=True)
            ]
            for row in rows
        )
    return table.names, rows, list(table.remarks)


def _json_rows(data: bytes) -> tuple[list[str], list[list[str]]]:
    """Return the rows of a list of objects, or of an object of objects by architecture.

    Raises:
        Refused: If the JSON is invalid, or of another form.
    """
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Refused("this file begins like JSON, but is not valid JSON") from None
    if isinstance(value, dict) and all(isinstance(v, dict) for v in value.values()):
        value = [row for name, each in value.items() for row in _by_set(name, each)]
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise Refused(
            "a JSON table is a list of objects, one per training, or an object with "
            "one per architecture"
        )
    if not 0 < len(value) <= ROWS:
        raise Refused(
            f"this table has {len(value):,} trainings; 1 to {ROWS:,} are read"
        )
    flat = [dict(_flatten(each, "")) for each in value]
    names = list(dict.fromkeys(name for each in flat for name in each))
    return names, [[each.get(name, "") for name in names] for each in flat]


def _by_set(name: str, found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the trainings of an architecture: one, or one for each data set."""
    if found and all(isinstance(each, dict) for each in found.values()):
        for dataset, each in found.items():
            yield {ARCHITECTURE: name, "dataset": dataset} | each
    else:
        yield {ARCHITECTURE: name} | dict(found)


def _flatten(value: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    for name, each in value.items():
        if isinstance(each, dict) and not above:
            yield from _flatten(each, name)
        elif each is None:
            yield f"{above}{'.' if above else ''}{name}", ""
        elif isinstance(each, list):
            yield f"{above}{'.' if above else ''}{name}", "|".join(map(str, each))
        else:
            text = repr(each) if isinstance(each, float) else str(each)
            yield f"{above}{'.' if above else ''}{name}", text
