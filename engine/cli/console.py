"""Output of the commands: results go to stdout, everything else to stderr."""

import io
import json
import sys
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from engine.contract.errors import Refused

Home = Annotated[
    Path | None,
    typer.Option(
        help="The store's folder; default: METASCOPE_HOME, else the user data folder."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


class Exit(IntEnum):
    """Exit codes of the commands."""

    OK = 0
    FAILED = 1
    BAD_INPUT = 2
    DIVERGED = 3
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def out() -> Console:
    """Return the console for results."""
    # Without a terminal, rich would assume 80 columns and cut the tables.
    return _make_console(width=None if sys.stdout.isatty() else 160)


def err() -> Console:
    """Return the console for progress and errors."""
    return _make_console(stderr=True)


def _make_console(*, stderr: bool = False, width: int | None = None) -> Console:
    """Return a console that prints text literally: typed names are no markup."""
    return Console(
        stderr=stderr, width=width, highlight=False, markup=False, emoji=False
    )


def print_status(text: str) -> None:
    """Print one line of progress to stderr."""
    err().print(text, soft_wrap=True)


def print_error(text: str) -> None:
    """Print an error to stderr."""
    # A message may hold line breaks; an error is one line, so that it can be grepped.
    print_status(f"error: {' '.join(text.split())}")


def replace_unknown_characters() -> None:
    """Let an old console show "?" for a Greek letter, rather than end the command.

    Windows encodes what is piped in the code page of the country, such as cp1252.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def print_json(value: object) -> None:
    """Print a value as JSON to stdout."""
    # Elsewhere a letter that the encoding lacks would become a "?".
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(value, indent=2, ensure_ascii=not unicode)
    out().print(text, soft_wrap=True)


def verdict_text(summary: Mapping[str, object]) -> str:
    r"""Return a summary's verdict, the headline on a line of its own.

    >>> verdict_text({"headline": "A beats B.", "sentence": "A beats B. By 3 points."})
    'A beats B.\nBy 3 points.'
    """
    headline, whole = (str(summary.get(key, "")) for key in ("headline", "sentence"))
    rest = whole.removeprefix(headline).strip()
    return "\n".join(filter(None, (headline, rest)))


def read_file(path: Path) -> bytes:
    """Read a file named on the command line.

    Raises:
        Refused: If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        why = (error.strerror or "not possible").lower()
        raise Refused(f"{path} cannot be read: {why}", str(path)) from None
