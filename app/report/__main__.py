"""The command that writes a report: `python -m app.report RUN --out report.html`."""

from pathlib import Path
from typing import Annotated

import typer

from app.client import client
from app.report.page import make_report
from engine.contract.errors import Refused
from engine.store import NoRun, Store, StoreError, files

SHORTEST = 4  # hex digits; fewer would match runs by accident


def write_report(
    run: Annotated[str, typer.Argument(help="A run's id, or its first digits.")],
    out: Annotated[Path, typer.Option("--out", help="The HTML file.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a run of the store as one HTML file that works offline."""
    try:
        if out.exists() and not force:
            raise Refused(f"{out} exists; add --force to overwrite it", "out")
        Store.open_existing()  # reading creates no store
        held = client.run(find_key(run))
        client.catalogue()  # made here and now, for the titles of parts
        files.write_atomically(out, make_report(held, client.part_titles()))
    except (Refused, StoreError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(f"written to {out}", err=True)


def find_key(start: str) -> str:
    """Return the key of the run whose id begins with these digits.

    Raises:
        Refused: If none or several do.
    """
    wish = start.strip().lower()
    if len(wish) < SHORTEST:
        raise Refused(f"give at least {SHORTEST} digits of a run's id", "run")
    found = [job.key for job in client.jobs(text=wish)[0] if job.key.startswith(wish)]
    if len(found) > 1:
        raise Refused(f"{len(found)} runs have ids that begin with {wish}", "run")
    if not found:
        raise NoRun(wish)
    return found[0]


if __name__ == "__main__":
    typer.run(write_report)
