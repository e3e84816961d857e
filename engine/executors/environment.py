"""Settings from environment variables, read and checked."""

import os

from engine.contract.errors import Refused


def whole_number(name: str, default: int, low: int, high: int) -> int:
    """Return a setting that is a whole number.

    Args:
        name: The variable's name.
        default: What holds where it is not set or empty.
        low: The smallest number allowed.
        high: The largest number allowed.

    Raises:
        Refused: If it is anything else.
    """
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or not low <= int(text) <= high:
        raise Refused(
            f"{name} must be a whole number from {low} to {high}, not {text[:20]!r}",
            name,
        )
    return int(text)


def one_of(name: str, allowed: tuple[str, ...]) -> str:
    """Return a setting that is one of some words; the first where it is not set.

    Raises:
        Refused: If it is anything else.
    """
    text = os.environ.get(name, "").strip().lower() or allowed[0]
    if text not in allowed:
        words = " or ".join(allowed)
        raise Refused(f"{name} must be {words}, not {text[:20]!r}", name)
    return text
