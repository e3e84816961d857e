"""Checks of arguments as notebooks give them, each refused in one sentence."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.contract.errors import Refused
from engine.contract.registration import SLOTS
from engine.store import StoreError

_UNKNOWN_PART = re.compile(rf"no ({'|'.join(SLOTS)}) is called")
_SHOWN = 60  # characters of a wrong value that a message repeats


class UnknownName(Refused, KeyError):
    """A name that a mapping does not hold; `in` and `get` expect a KeyError."""

    def __str__(self) -> str:
        return self.message  # a KeyError would quote it


def show(given: object) -> str:
    """Return a value as a message repeats it.

    >>> show("good"), show([1] * 99)[-1]
    ("'good'", '…')
    """
    text = repr(given)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def as_path(name: str, given: object) -> Path:
    """Return a path that was given as text or as a path.

    Raises:
        Refused: If it is something else.
    """
    if isinstance(given, (str, os.PathLike)) and str(given):
        return Path(given).expanduser()
    raise Refused(
        f"{name} must be a path in text, such as 'out/mine', not {show(given)}", name
    )


def as_text(name: str, given: object) -> str:
    """Return a text.

    Raises:
        Refused: If it is something else.
    """
    if isinstance(given, str):
        return given
    raise Refused(f"{name} is a text, not {show(given)}", name)


def whole_number(name: str, given: object, low: int, high: int | None = None) -> int:
    """Return a whole number within limits; numpy's count, too.

    Args:
        name: The argument.
        given: Its value.
        low: The smallest that is allowed.
        high: The largest; None for no limit.

    Raises:
        Refused: If it is none, or outside.

    >>> whole_number("jobs", -1, 0)
    Traceback (most recent call last):
    engine.contract.errors.Refused: jobs must be a whole number from 0 on, not -1
    """
    whole = hasattr(given, "__index__") and not isinstance(given, bool)
    if whole and low <= int(given) and (high is None or int(given) <= high):  # type: ignore[call-overload]
        return int(given)  # type: ignore[call-overload, no-any-return]
    span = f"from {low} on" if high is None else f"from {low} to {high}"
    raise Refused(f"{name} must be a whole number {span}, not {show(given)}", name)


@contextmanager
def errors_of_writing(path: Path) -> Iterator[None]:
    """Turn what keeps a file or a folder from being written into one sentence.

    Args:
        path: What is to be written.

    Raises:
        Refused: With the path, the reason and what to do.
    """
    try:
        yield
    except (OSError, StoreError) as error:
        raise Refused(
            f"{path} cannot be written: {_explain(path, error)}", "path"
        ) from None


def _explain(path: Path, error: Exception) -> str:
    if path.is_dir():
        return "it is a folder; give the name of a file in it"
    if path.exists() and not os.access(path, os.W_OK):
        return "it is read-only; choose another name"
    above = path.parent
    if not above.exists():
        return f"there is no folder {above}; create it first, or choose another"
    if not above.is_dir():
        return f"{above} is a file, not a folder; choose another place"
    if not os.access(above, os.W_OK):
        return f"you may not write into {above.absolute()}; choose another folder"
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    why = getattr(cause, "strerror", None) or str(error)
    return f"{why[:1].lower()}{why[1:]}; choose another place"


@contextmanager
def words_of_python() -> Iterator[None]:
    """Name what a notebook has where a message names a command of the terminal.

    Raises:
        Refused: The same one, with `metascope` for `python -m engine`.
    """
    try:
        yield
    except Refused as refusal:
        told = refusal.message.replace(
            "`python -m engine catalogue`", "`metascope.catalogue()`"
        ).replace("python -m engine", "python -m metascope")
        if _UNKNOWN_PART.search(told):
            told += "; one of your own is defined first, with @metascope.register"
        if told == refusal.message:
            raise
        raise Refused(told, refusal.field) from None
