"""What shifts of searches share: they turn knobs that every space has."""

from dataclasses import replace
from typing import Any

from engine.protocol import Setting
from engine.tasks.search._family import SearchFamily


def without(setting: Setting, knob: str) -> str:
    """Say so where a family lacks a knob, or nothing."""
    family = setting.family
    lacks = knob not in type(family).model_fields
    return f"{family.name} has no {knob} to change" if lacks else ""


def turned(setting: Setting, **knobs: Any) -> Setting:
    """Return the setting with some of its family's knobs turned."""
    return replace(setting, family=setting.family.model_copy(update=knobs))


def properties_of(setting: Setting) -> tuple[str, ...]:
    """Return what may be capped in the searched space, the chosen one first."""
    family = setting.family
    if not isinstance(family, SearchFamily):
        return ()
    known = tuple(family.evaluator().properties)
    return tuple(sorted(known, key=lambda name: name != family.capped))


def radix_of(setting: Setting) -> tuple[int, ...]:
    """Return how many options each decision of the whole space has."""
    family = setting.family
    assert isinstance(family, SearchFamily)
    return family.evaluator().space.radix


def uncapped(setting: Setting) -> str:
    """Say so where nothing can be capped, or nothing."""
    if reason := without(setting, "cap"):
        return reason
    if properties_of(setting):
        return ""
    return f"{setting.family.name} knows no property of an architecture to cap"


def capped(setting: Setting, excluded: float, *, since: float, on: str = "") -> Setting:
    """Return the setting with a cap that leaves out a share of the space.

    Args:
        setting: What is searched.
        excluded: Share of the space above the cap.
        since: Share of the search after which it comes.
        on: The property; the family's own choice where empty, or the first it knows.
    """
    name = on or properties_of(setting)[0]
    return turned(setting, cap=1.0 - excluded, capped=name, cap_since=since)
