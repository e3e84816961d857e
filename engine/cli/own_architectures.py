"""data own-architectures: add the user's table of trained architectures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from engine.cli.console import Exit, err, print_json, print_status
from engine.contract.errors import Refused

if TYPE_CHECKING:
    from engine.data.sources.architecture_table import ArchitectureTable


def own_architectures(
    file: Annotated[
        Path,
        typer.Argument(
            help="A CSV: columns dataset, op:NAME for each decision, validation; "
            "optional epochs, test, cost, and properties."
        ),
    ],
    *,
    target: Annotated[
        str, typer.Option(help="The data set to search on; default: the first.")
    ] = "",
) -> int:
    """Add a table of architectures; print a spec that searches it, for `run`."""
    from engine.contract.run_spec import Choice
    from engine.data.user.architecture_csv import read_architectures
    from engine.data.user.architecture_rows import looks_like_percent
    from engine.data.user.csv_store import read_csv_path, store_csv
    from engine.presets import preset, spec_as_json

    sheet = read_csv_path(file)
    unit = "percent" if looks_like_percent(sheet.data) else "share"
    table = read_architectures(sheet.data, unit)
    _print_preview(table, unit)
    target = target or table.tasks[0]
    if target not in table.tasks:
        names = ", ".join(table.tasks[:20])
        raise Refused(f"{file.name} has no data set {target[:40]!r}; it has: {names}")
    knobs = {"digest": store_csv(sheet), "accuracy": unit, "target": target}
    own = Choice(name="own_architectures", knobs=knobs)
    print_json(spec_as_json(preset("search").spec.model_copy(update={"family": own})))
    return Exit.OK


def _print_preview(table: "ArchitectureTable", unit: str) -> None:
    from engine.data.user.architecture_csv import table_remarks

    shown = Table("decision", "options", box=None)
    for name, options in zip(table.positions, table.options, strict=True):
        shown.add_row(name, ", ".join(options))
    err().print(shown)
    print_status(
        f"{table.count:,} architectures, data sets: {', '.join(table.tasks)}; "
        f"accuracies are read as {unit}"
    )
    for remark in table_remarks(table):
        print_status(f"note: {remark}")
