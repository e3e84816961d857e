"""Fields of JSON from a person: each is what it must be, or one sentence says so.

`where` names the object that a field is of, as the sentence should.
"""

from typing import Any

from engine.contract.errors import Refused
from engine.contract.text_input import clean

LONGEST = 200
Body = dict[str, Any]


def field(body: Body, name: str, where: str) -> Any:
    """Return a field that must be there."""
    if name not in body:
        raise Refused(f"{where} has no field {name!r}", name)
    return body[name]


def an_object(value: Any, where: str) -> Body:
    """Return what must be a JSON object."""
    if not isinstance(value, dict):
        raise Refused(f"{where} must be a JSON object")
    return value


def a_list(value: Any, where: str, most: int) -> list[Any]:
    """Return what must be a list, neither empty nor too long."""
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise Refused(f"{where} must be a list of 1 to {most:,}", where)
    return value


def sized(value: Any, size: int, where: str) -> list[Any]:
    """Return what must be a list of one length."""
    if not isinstance(value, list) or len(value) != size:
        raise Refused(f"{where} must be a list of {size}", where)
    return value


def words(value: Any, where: str, most: int) -> tuple[str, ...]:
    """Return what must be different names."""
    found = a_list(value, where, most)
    if not all(isinstance(w, str) and 0 < len(w) <= LONGEST for w in found):
        raise Refused(f"{where} must be names of 1 to {LONGEST} characters", where)
    if len(set(found)) < len(found):
        raise Refused(f"{where} has a name twice", where)
    return tuple(found)


def is_number(value: Any) -> bool:
    """Return whether a value is a number; JSON's true is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(
    body: Body,
    name: str,
    where: str,
    span: tuple[float, float],
    default: float | None = None,
) -> float:
    """Return a number from a span; the default where it may be left out."""
    left_out = default is not None and name not in body
    value = default if left_out else field(body, name, where)
    low, high = span
    if not is_number(value) or not low <= value <= high:
        shown = clean(str(value))[:40]
        raise Refused(
            f"{where}: {name} must be a number from {low:g} to {high:g}, not {shown}",
            name,
        )
    return float(value)
