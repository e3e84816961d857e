"""The command that writes a gallery: `python -m engine gallery --out DIR` starts it."""

import functools
import os
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from app.client import client
from app.client.catalogue import CatalogueCache, CatalogueError
from app.gallery import pictures
from app.gallery.build import build_gallery
from app.gallery.chosen_runs import choose_keys, has_store, load_run
from app.gallery.folder import check_folder
from app.gallery.run_page import Addresses
from app.widgets import figure_files
from engine.contract.errors import Refused
from engine.executors.demo import MODE, is_demo
from engine.store import StoreError


def write_gallery(
    out: Annotated[Path, typer.Option("--out", help="The folder.")],
    runs: Annotated[list[str] | None, typer.Argument(help="Runs and groups.")] = None,
    *,
    recorded: Annotated[bool, typer.Option("--recorded", help="Examples.")] = False,
    lab: Annotated[str, typer.Option(help="Address of a hosted lab.")] = "",
    site: Annotated[str, typer.Option(help="Address of the gallery.")] = "",
    title: Annotated[str, typer.Option(help="Its title.")] = "Runs of Metascope",
) -> None:
    """Write runs as web pages; `python -m engine gallery --help` says more."""
    try:
        where = Addresses(_site_address(site), _lab_address(lab))
        check_folder(out)  # before the work, too
        names, in_demo = runs or [], is_demo()
        os.environ.pop(MODE, None)  # the operator reads the whole store
        # What visitors of a demo computed is shown only if it is named.
        keys = choose_keys(names, recorded=recorded or (in_demo and not names))
        readers = [functools.partial(load_run, key) for key in keys]
        build_gallery(out, readers, _part_titles(), title, where)
    except (Refused, StoreError, CatalogueError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    if not figure_files.can_render():
        typer.echo(pictures.PLAIN, err=True)
    noun = "run" if len(keys) == 1 else "runs"
    typer.echo(f"{len(keys)} {noun} written to {out}: open index.html there", err=True)


def _part_titles() -> dict[str, str]:
    """Return the titles of parts; kept in the store, if there is one."""
    if has_store():
        return client.catalogue().part_titles()
    return CatalogueCache(lambda: None).get().part_titles()


def _site_address(text: str) -> str:
    return f"{_check_address(text, 'site')}/" if text else ""


def _lab_address(text: str) -> str:
    return f"{_check_address(text, 'lab').removesuffix('/lab')}/lab" if text else ""


def _check_address(text: str, field: str) -> str:
    """Return an address without a slash at its end.

    Raises:
        Refused: If it is none of the web.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query:
        raise Refused(
            f"{text[:80]!r} is no address of a folder on the web, such as "
            "https://example.org/lab",
            field,
        )
    return text.rstrip("/")


if __name__ == "__main__":
    typer.run(write_gallery)
