"""data own-architectures: add the user's table of trained architectures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from engine.cli.console import Exit, err, print_json, print_status
from engine.contract.errors import Refused

if TYPE_CHECKING:
    from engine.contract.run_spec import Choice, RunSpec
    from engine.data.sources.architecture_table import ArchitectureTable

PART_SEARCHED = 3  # at most a third of the architectures is evaluated


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
    from engine.data.user.architecture_rows import guess_unit
    from engine.data.user.csv_store import read_csv_path, store_csv
    from engine.presets import preset, spec_as_json

    sheet = read_csv_path(file)
    unit = guess_unit(sheet.data)
    table = read_architectures(sheet.data, unit)
    _print_preview(table, unit)
    target = target or table.tasks[0]
    if target not in table.tasks:
        names = ", ".join(table.tasks[:20])
        raise Refused(f"{file.name} has no data set {target[:40]!r}; it has: {names}")
    knobs = {"digest": store_csv(sheet), "accuracy": unit, "target": target}
    own = Choice(name="own_architectures", knobs=knobs)
    print_json(spec_as_json(_fit_to_table(preset("search").spec, own, table)))
    return Exit.OK


def _fit_to_table(
    spec: "RunSpec", own: "Choice", table: "ArchitectureTable"
) -> "RunSpec":
    """Return an experiment on a table, with a budget that leaves something to search.

    With a single data set nothing is meta-trained, since the only source would be the
    test task itself: evolution is then compared with random search.
    """
    # A search of all architectures would need no strategy.
    horizon = min(spec.budget.horizon, max(1, table.count // PART_SEARCHED))
    update: dict[str, object] = {
        "family": own,
        "budget": spec.budget.model_copy(update={"horizon": horizon}),
    }
    if len(table.tasks) == 1:
        first, *others = (c for c in spec.learners if c.role == "baseline")
        update["learners"] = (first.model_copy(update={"role": "chosen"}), *others)
    return spec.model_copy(update=update)


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
