"""Helpers for shifts of searches: caps and option counts of the searched space."""

from engine.protocol import Setting
from engine.shifts._applicability import change_family, why_no_knobs
from engine.tasks.search._family import SearchFamily


def cappable_properties(setting: Setting) -> tuple[str, ...]:
    """Return the properties that can be capped, the family's choice first."""
    family = setting.family
    if not isinstance(family, SearchFamily):
        return ()
    known = tuple(family.evaluator().properties)
    # A stable sort: False comes first, the others stay in their order.
    return tuple(sorted(known, key=lambda name: name != family.capped))


def option_counts(setting: Setting) -> tuple[int, ...]:
    """Return the number of options of each decision in the whole space."""
    family = setting.family
    assert isinstance(family, SearchFamily)
    return family.evaluator().space.radix


def why_not_capped(setting: Setting) -> str | None:
    """Return the reason why nothing can be capped; None if something can."""
    if reason := why_no_knobs(setting, ("cap",), "cap"):
        return reason
    if cappable_properties(setting):
        return None
    return f"{setting.family.name} has no property of an architecture to cap"


def apply_cap(
    setting: Setting, excluded: float, *, since: float, on: str = ""
) -> Setting:
    """Return the setting with a cap that excludes a share of the space.

    Args:
        setting: The setting to change.
        excluded: Share of the space above the cap.
        since: Share of the search after which the cap holds.
        on: The capped property; empty for the family's choice, or its first.
    """
    name = on or cappable_properties(setting)[0]
    return change_family(setting, cap=1.0 - excluded, capped=name, cap_since=since)
