"""The registry of parts: each module below a part folder registers one."""

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

from engine.contract.parts import Part
from engine.contract.registration import (
    refuse_incomplete,
    refuse_unknown_slot,
    refuse_unregistered,
)
from engine.contract.suggestions import unknown_part_error

P = TypeVar("P", bound=Part)
_PARTS: dict[tuple[str, str], type[Part]] = {}


def register(slot: str) -> Callable[[type[P]], type[P]]:
    """Return a class decorator that registers a part under its file's name.

    Args:
        slot: The slot of a spec that the part fills.

    Raises:
        Refused: If there is no such slot, or the class lacks a declaration.
        ValueError: If two files of one slot have the same name.
    """

    def enter(part: type[P]) -> type[P]:
        refuse_unknown_slot(slot, part.__module__)
        refuse_incomplete(slot, part)
        name = part.__module__.rsplit(".", 1)[-1]
        known = _PARTS.get((slot, name))
        if known is not None and known.__module__ != part.__module__:
            raise ValueError(f"two {slot}s are called {name!r}")
        part.slot, part.name = slot, name
        _PARTS[slot, name] = part
        return part

    return enter


def forget(slot: str, name: str) -> None:
    """Remove a part that turned out to be incomplete once it was registered."""
    _PARTS.pop((slot, name), None)


def import_modules(package: ModuleType) -> None:
    """Import every module below a package, which registers its parts.

    Raises:
        Refused: If a module defines a part but does not register it.
    """
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        refuse_forgotten(importlib.import_module(found.name))


def refuse_forgotten(module: ModuleType) -> None:
    """Refuse a module that defines a part but has not registered one.

    Raises:
        Refused: With the class and the missing line.
    """
    if module.__name__ not in {part.__module__ for part in _PARTS.values()}:
        refuse_unregistered(module)


def part(slot: str, name: str) -> type[Part]:
    """Return the class of a part.

    Raises:
        Refused: If there is none; the message suggests or lists the names.
    """
    try:
        return _PARTS[slot, name]
    except KeyError:
        raise unknown_part_error(
            slot, name, (n for s, n in _PARTS if s == slot)
        ) from None


def parts(slot: str | None = None) -> list[type[Part]]:
    """Return the classes of all parts, or of one slot, sorted by slot and name."""
    return [
        found for (of, _), found in sorted(_PARTS.items()) if slot is None or of == slot
    ]
