"""What shifts of searches share: they turn knobs that every space has."""

from dataclasses import replace
from typing import Any

from engine.protocol import Setting


def without(setting: Setting, knob: str) -> str:
    """Say so where a family lacks a knob, or nothing."""
    family = setting.family
    lacks = knob not in type(family).model_fields
    return f"{family.name} has no {knob} to change" if lacks else ""


def turned(setting: Setting, **knobs: Any) -> Setting:
    """Return the setting with some of its family's knobs turned."""
    return replace(setting, family=setting.family.model_copy(update=knobs))
