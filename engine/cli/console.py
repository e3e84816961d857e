"""How commands speak: results to stdout, everything else to stderr."""

import json
import sys
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from engine.contract.errors import Refused

Home = Annotated[
    Path | None,
    typer.Option(
        help="The store's folder; METASCOPE_HOME or the usual one if not given."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class Exit(IntEnum):
    """How a command ended, as the shell sees it."""

    OK = 0
    FAILED = 1
    BAD_INPUT = 2
    DIVERGED = 3
    INTERRUPTED = 130


def out() -> Console:
    """Return the console of results; wide where nobody looks, so nothing is cut."""
    return _make_console(width=None if sys.stdout.isatty() else 160)


def err() -> Console:
    """Return the console of progress and of errors."""
    return _make_console(stderr=True)


def _make_console(*, stderr: bool = False, width: int | None = None) -> Console:
    """Return a console that shows people's text as it is: it is no markup."""
    return Console(
        stderr=stderr, width=width, highlight=False, markup=False, emoji=False
    )


def print_status(text: str) -> None:
    """Write one line about what was done."""
    err().print(text, soft_wrap=True)


def print_error(text: str) -> None:
    """Write one line about what is wrong."""
    print_status(f"error: {' '.join(text.split())}")


def print_json(value: object) -> None:
    """Write JSON to stdout, bare where a program reads it."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    out().print(text, soft_wrap=True)


def read_file(path: Path) -> bytes:
    """Read a file that a person named.

    Raises:
        Refused: If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        why = (error.strerror or "not possible").lower()
        raise Refused(f"{path} cannot be read: {why}", str(path)) from None
