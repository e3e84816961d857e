"""data: list, fetch and add real data sets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from engine.cli import mosaic, own_architectures
from engine.cli.console import AsJson, Exit, err, out, print_json, print_status
from engine.contract.errors import Refused

if TYPE_CHECKING:
    from engine.data.user.csv_store import CsvFile

SHOWN = 20  # classes in the preview; an archive may have a thousand
# Which option removes an obstacle, by the field of the refusal.
_OPTIONS = {
    "text": " (--drop)",
    "rare": " (--drop)",
    "empty": " (--drop or --mean)",
}

data = typer.Typer(help="List real data sets, fetch public ones, add your own.")
data.command()(mosaic.build)
data.command()(mosaic.report)
data.command(name="own-architectures")(own_architectures.own_architectures)


@data.callback(invoke_without_command=True)
def list_files(context: typer.Context, *, as_json: AsJson = False) -> int:
    """List the data that is bundled, in the data pack, and your own."""
    if context.invoked_subcommand:
        return Exit.OK
    from engine.data.inventory import inventory

    entries = inventory()
    if as_json:
        print_json(entries)
        return Exit.OK
    table = Table("kind", "state", "file", "families", "title", "sha256", box=None)
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
    target: Annotated[str, typer.Option(help="The column to predict.")] = "",
    value: Annotated[
        bool, typer.Option("--value", help="Regression: predict a number.")
    ] = False,
    drop: Annotated[
        bool,
        typer.Option(
            "--drop", help="Drop non-numeric columns, incomplete rows, rare classes."
        ),
    ] = False,
    mean: Annotated[
        bool,
        typer.Option(
            "--mean", help="Fill empty cells with the mean of a task's training rows."
        ),
    ] = False,
    few_shot: Annotated[
        bool, typer.Option("--few-shot", help="Use it for few-shot classification.")
    ] = False,
) -> int:
    """Add a CSV file; print a spec that uses it, for `run`."""
    from engine.cli.own_classes_spec import rows_spec
    from engine.data.sources.supervised_table import distinct_row_counts
    from engine.data.user.csv_store import read_csv_path, store_csv
    from engine.data.user.target_selection import (
        TargetOptions,
        class_remarks,
        select_target,
    )

    table = read_csv_path(file)
    _print_preview(table)
    if value and few_shot:
        raise Refused("--few-shot needs class labels; drop --value", "predict")
    if not target:
        raise Refused("add --target with the name of the column to predict", "target")
    answers, rest = "value" if value else "classes", "drop" if drop else "refuse"
    gaps = "mean" if mean else rest
    try:
        chosen = select_target(table, TargetOptions(target, answers, rest, gaps, rest))
    except Refused as refusal:
        # The refusal speaks of choices; on the command line they are options.
        hint = _OPTIONS.get(refusal.field, "")
        raise Refused(f"{refusal.message}{hint}", refusal.field) from None
    for remark in class_remarks(chosen.classes):
        print_status(f"note: {remark}")
    knobs = {"digest": store_csv(table), "target": target}
    if drop or mean:
        knobs |= {"text": rest, "empty": gaps, "rare": rest}
    if few_shot:
        print_json(rows_spec(knobs, distinct_row_counts(chosen), chosen.features))
    else:
        print_json(_own_data_spec(knobs | {"predict": answers}))
    return Exit.OK


@data.command(name="own-images")
def own_images(
    path: Annotated[
        Path,
        typer.Argument(help="A ZIP archive or a folder, with one subfolder per class."),
    ],
) -> int:
    """Add images of your own; print a spec that uses them, for `run`."""
    from engine.cli.own_classes_spec import images_spec
    from engine.data.user.image_store import read_image_path, store_images

    found = read_image_path(path)
    classes = Table("class", "images", box=None)
    counts = found.counts().tolist()
    for name, count in zip(found.names[:SHOWN], counts, strict=False):
        classes.add_row(name, f"{count:,}")
    err().print(classes)
    print_status(
        f"{len(found.names):,} classes, {sum(counts):,} images, sha256 {found.digest}"
    )
    for warning in found.warnings:
        print_status(f"note: {warning}")
    print_json(images_spec(store_images(found), counts))
    return Exit.OK


@data.command()
def fetch(
    name: Annotated[
        str,
        typer.Argument(help="Name of the set; without one, list what can be fetched."),
    ] = "",
    *,
    as_json: AsJson = False,
) -> int:
    """Download a public set into the data pack's folder; verify its checksums."""
    from engine.data.sources import download
    from engine.data.sources.locations import pack_home

    if name:
        if name in download.SETS:
            print_status(f"fetching {name} into {pack_home()}")
        for path in download.fetch(name):
            print_status(f"{path.name} is there; its checksum is right")
        return Exit.OK
    entries = download.list_fetchable()
    if as_json:
        print_json(entries)
        return Exit.OK
    whole = Column("from", overflow="fold")
    table = Table("name", "file", "bytes", "state", whole, box=None)
    for each in entries:
        words = (each["name"], each["file"], f"{each['bytes']:,}", each["state"])
        table.add_row(*words, each["address"])
    out().print(table)
    return Exit.OK


def _print_preview(table: "CsvFile") -> None:
    columns = Table("column", "holds", "empty cells", "note", box=None)
    for each in table.columns:
        columns.add_row(each.name, each.kind, str(each.empty), each.note)
    err().print(columns)
    print_status(f"{table.rows:,} rows, sha256 {table.digest}")
    # Notes on columns are in the table above; they need no second mention.
    shown = {f"{each.name}: {each.note}" for each in table.columns}
    for warning in table.warnings:
        if warning not in shown:
            print_status(f"note: {warning}")


def _own_data_spec(knobs: dict[str, str]) -> dict[str, object]:
    """Return the default experiment on the user's data, with sizes that fit it."""
    from engine.contract.run_spec import Choice
    from engine.presets import preset, spec_as_json
    from engine.tasks.optimization.own_data import OwnData

    sizes = OwnData.model_validate(knobs).fit_points()
    family = Choice(name="own_data", knobs=knobs | sizes)
    return spec_as_json(preset("default").spec.model_copy(update={"family": family}))
