"""Rows of a user's table of trainings on their way to the form that runs read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from engine.contract.errors import Refused

Ragged = Literal["refuse", "common", "failed"]
Row = dict[str, str]


@dataclass
class TrainingSheet:
    """Rows of the form that `architecture_csv` describes, while they are made.

    Args:
        rows: The rows; every one has the same columns.
        properties: Columns of further numbers.
        decisions: Columns of decisions.
        remarks: What was judged or changed, one sentence each.
    """

    rows: list[Row]
    properties: list[str]
    decisions: list[str]
    remarks: list[str] = field(default_factory=list)


def make_even(sheet: TrainingSheet, ragged: Ragged) -> Iterator[str]:
    """Give every data set the same architectures and lengths; yield remarks.

    Args:
        sheet: The rows, which are changed.
        ragged: "common" keeps the architectures that all have; "failed" counts what
            is missing as failed trainings.

    Raises:
        Refused: If no architecture is in all data sets.
    """
    keys = [tuple(row[name] for name in sheet.decisions) for row in sheet.rows]
    sets = list(dict.fromkeys(row["dataset"] for row in sheet.rows))
    lengths = sorted({row.get("epochs", "") for row in sheet.rows})
    there = {
        (key, row["dataset"], row.get("epochs", ""))
        for key, row in zip(keys, sheet.rows, strict=True)
    }
    whole = [(s, e) for s in sets for e in lengths]
    known = list(dict.fromkeys(keys))
    lacking = {k for k in known if any((k, s, e) not in there for s, e in whole)}
    if not lacking:
        return
    if ragged == "common":
        sheet.rows = [
            r for r, k in zip(sheet.rows, keys, strict=True) if k not in lacking
        ]
        if not sheet.rows:
            raise Refused(
                "no architecture is in all data sets at all lengths; count the others "
                "as failed",
                "ragged",
            )
        yield (
            f"{len(lacking):,} of {len(known):,} architectures are left out: some data "
            "sets lack them"
        )
        return
    filler = {row["dataset"]: row for row in sheet.rows}
    added = 0
    for key in known:
        for dataset, epochs in whole:
            if (key, dataset, epochs) not in there:
                row = dict.fromkeys(sheet.rows[0], "")
                row |= {"dataset": dataset} | dict(
                    zip(sheet.decisions, key, strict=True)
                )
                row |= {"epochs": epochs} if "epochs" in row else {}
                # A cost is needed, also of a failed training.
                row |= {"cost": filler[dataset]["cost"]} if "cost" in row else {}
                sheet.rows.append(row)
                added += 1
    yield f"{added:,} trainings that are missing in some data sets count as failed"
