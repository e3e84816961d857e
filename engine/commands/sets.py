"""data: what real data is here, and a person's own file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from engine.commands.terminal import AsJson, Exit, err, out, print_json, say
from engine.contract.errors import Refused

if TYPE_CHECKING:
    from engine.data.own import OwnTable

data = typer.Typer(help="Show what real data is here; add a CSV file of your own.")


@data.callback(invoke_without_command=True)
def listed(context: typer.Context, *, as_json: AsJson = False) -> int:
    """List what is brought along, what a data pack adds, and your own files."""
    if context.invoked_subcommand:
        return Exit.OK
    from engine.data.inventory import inventory

    entries = inventory()
    if as_json:
        print_json(entries)
        return Exit.OK
    table = Table("kind", "state", "file", "families", "what", "sha256", box=None)
    for each in entries:
        families, start = ", ".join(each["families"]), each["sha256"][:12]
        words = (each["kind"], each["state"], each["file"], families, each["title"])
        table.add_row(*words, start)
    out().print(table)
    return Exit.OK


@data.command()
def own(
    file: Annotated[Path, typer.Argument(help="A CSV file.")],
    *,
    target: Annotated[str, typer.Option(help="The column to be learned.")] = "",
    value: Annotated[bool, typer.Option("--value", help="Predict a number.")] = False,
    drop: Annotated[
        bool, typer.Option("--drop", help="Leave out what is no number, or empty.")
    ] = False,
) -> int:
    """Add a CSV file; prints a spec that learns from it, for `run`."""
    from engine.data.choosing import Choices, choose
    from engine.data.own import read_path, store_own

    table = read_path(file)
    _preview(table)
    if not target:
        raise Refused("add --target with the column that is to be learned", "target")
    answers, rest = "value" if value else "classes", "drop" if drop else "refuse"
    try:
        choose(table, Choices(target, answers, rest, rest, rest))
    except Refused as refusal:
        hint = " (--drop)" if refusal.field in ("text", "empty", "rare") else ""
        raise Refused(f"{refusal.message}{hint}", refusal.field) from None
    knobs = {"digest": store_own(table), "target": target, "predict": answers}
    if drop:
        knobs |= {"text": rest, "empty": rest, "rare": rest}
    print_json(_spec(knobs))
    return Exit.OK


@data.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A set that is public: omniglot.")],
) -> int:
    """Fetch a public set into the data pack's folder, by its known checksums."""
    from engine.data.fetching import fetch as bring

    for path in bring(name):
        say(f"{path} is the known file")
    return Exit.OK


def _preview(table: "OwnTable") -> None:
    columns = Table("column", "holds", "empty cells", "note", box=None)
    for each in table.columns:
        columns.add_row(each.name, each.kind, str(each.empty), each.note)
    err().print(columns)
    say(f"{table.rows:,} rows, sha256 {table.digest}")
    shown = {f"{each.name}: {each.note}" for each in table.columns}
    for warning in table.warnings:
        if warning not in shown:
            say(f"note: {warning}")


def _spec(knobs: dict[str, str]) -> dict[str, object]:
    """Return the default experiment on a family of one's own."""
    from engine.contract.runs import Choice
    from engine.presets import preset, spoken

    family = Choice(name="own_data", knobs=knobs)
    return spoken(preset("default").spec.model_copy(update={"family": family}))
