"""data own-architectures: add the user's table of trained architectures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from engine.cli.console import Exit, err, out, print_json, print_status
from engine.contract.errors import Refused

if TYPE_CHECKING:
    from engine.contract.run_spec import Choice, RunSpec
    from engine.data.sources.architecture_table import ArchitectureTable
    from engine.data.user.architecture_preparation import PreparedArchitectures

# What answers a refusal, by its field.
_HINTS = {
    "validation": " (--column validation=NAME)",
    "decision": " (--column decision=NAME)",
    "column": " (--column)",
    "ragged": " (--ragged)",
}
PART_SEARCHED = 3  # at most a third of the architectures is evaluated


def own_architectures(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="CSV or JSON: columns dataset, op:NAME for each decision, validation; "
            "optional seed, epochs, test, cost, and properties."
        ),
    ] = None,
    *,
    target: Annotated[
        str, typer.Option(help="The data set to search on; default: the first.")
    ] = "",
    column: Annotated[
        list[str] | None,
        typer.Option(help="What a column is: validation=acc, decision=width, …"),
    ] = None,
    accuracy: Annotated[
        Literal["auto", "share", "percent"],
        typer.Option(help="share, percent, or auto: judged for each data set."),
    ] = "auto",
    ragged: Annotated[
        Literal["refuse", "common", "failed"],
        typer.Option(
            help="Where data sets have different architectures: refuse, common (those "
            "that all have) or failed (the others count as failed)."
        ),
    ] = "refuse",
    template: Annotated[
        bool, typer.Option("--template", help="Print a table to fill in.")
    ] = False,
) -> int:
    """Add a table of architectures; print a spec that searches it, for `run`."""
    from engine.data.user.architecture_columns import TEMPLATE
    from engine.data.user.architecture_preparation import (
        ArchitectureChoices,
        prepare_architecture_path,
    )

    if template:
        out().print(TEMPLATE, end="")
        return Exit.OK
    if file is None:
        raise Refused("name a file, or --template for one to fill in", "file")
    choices = ArchitectureChoices(tuple(column or ()), accuracy, ragged)
    try:
        ready = prepare_architecture_path(file, choices)
    except Refused as refusal:
        hint = _HINTS.get(refusal.field, "")
        raise Refused(f"{refusal.message}{hint}", refusal.field) from None
    print_json(_spec(file.name, ready, target))
    return Exit.OK


def _spec(name: str, ready: "PreparedArchitectures", target: str) -> dict[str, object]:
    """Store a table, say what it holds, and return a spec that searches it."""
    from engine.contract.run_spec import Choice
    from engine.data.user.csv_store import store_csv
    from engine.data.user.file_records import FileRecord, store_record
    from engine.presets import preset, spec_as_json

    table = ready.table
    _print_preview(ready)
    target = target or table.tasks[0]
    if target not in table.tasks:
        names = ", ".join(table.tasks[:20])
        raise Refused(f"{name} has no data set {target[:40]!r}; it has: {names}")
    digest = store_csv(ready.file)
    summary = f"{table.count:,} architectures, {len(table.tasks):,} data sets"
    store_record(digest, FileRecord(name, "", summary))
    knobs = {"digest": digest, "accuracy": ready.unit, "target": target}
    own = Choice(name="own_architectures", knobs=knobs)
    return spec_as_json(_fit_to_table(preset("search").spec, own, table))


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


def _print_preview(ready: "PreparedArchitectures") -> None:
    table = ready.table
    shown = Table("decision", "options", box=None)
    for name, options in zip(table.positions, table.options, strict=True):
        shown.add_row(name, ", ".join(options))
    err().print(shown)
    print_status(f"{table.count:,} architectures, data sets: {', '.join(table.tasks)}")
    for remark in ready.remarks:
        print_status(f"note: {remark}")
