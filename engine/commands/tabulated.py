"""data build: the project's own table of trained architectures."""

from pathlib import Path
from typing import Annotated

import typer

from engine.commands.terminal import Exit, say
from engine.contract.errors import Refused

_NAMES = ("mosaic",)
Name = Annotated[str, typer.Argument(help="Which table: mosaic.")]


def build(
    name: Name,
    *,
    to: Annotated[
        Path | None, typer.Option("--out", help="Where it goes; the shipped one's.")
    ] = None,
    chunks: Annotated[
        int, typer.Option(min=0, help="Train at most so many chunks now; 0: all.")
    ] = 0,
    workers: Annotated[
        int, typer.Option(min=1, max=2, help="Processes, one torch thread each.")
    ] = 1,
) -> int:
    """Train every architecture of a table; what was ended early goes on."""
    _check(name)
    from engine.data.mosaic.building import build as trained
    from engine.data.mosaic.loading import FILE

    path = to or FILE
    left = trained(path, most=chunks, workers=workers, told=say)
    say(f"{left} chunks are left; run this again" if left else f"written to {path}")
    return Exit.OK


def _check(name: str) -> None:
    if name not in _NAMES:
        raise Refused(
            f"no table is called {name[:40]!r}; there is: {', '.join(_NAMES)}", "name"
        )
