"""data: list, fetch and add real data sets."""

from typing import Annotated

import typer
from rich.table import Column, Table

from engine.cli import mosaic, own_architectures, own_images, own_tables
from engine.cli.console import AsJson, Exit, out, print_json, print_status

data = typer.Typer(help="List real data sets, fetch public ones, add your own.")
data.command()(mosaic.build)
data.command()(mosaic.report)
data.command(name="own")(own_tables.own)
data.command(name="own-images")(own_images.own_images)
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
