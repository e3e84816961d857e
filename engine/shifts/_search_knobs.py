"""What shifts of searches share: they turn knobs that every space has."""

from engine.protocol import Setting
from engine.shifts._applicability import change_family, why_no_knobs
from engine.tasks.search._family import SearchFamily


def cappable_properties(setting: Setting) -> tuple[str, ...]:
    """Return what may be capped in the searched space, the chosen one first."""
    family = setting.family
    if not isinstance(family, SearchFamily):
        return ()
    known = tuple(family.evaluator().properties)
    return tuple(sorted(known, key=lambda name: name != family.capped))


def option_counts(setting: Setting) -> tuple[int, ...]:
    """Return how many options each decision of the whole space has."""
    family = setting.family
    assert isinstance(family, SearchFamily)
    return family.evaluator().space.radix


def why_not_capped(setting: Setting) -> str | None:
    """Return the reason why nothing can be capped; None if something can."""
    if reason := why_no_knobs(setting, ("cap",), "cap"):
        return reason
    if cappable_properties(setting):
        return None
    return f"{setting.family.name} knows no property of an architecture to cap"


def apply_cap(
    setting: Setting, excluded: float, *, since: float, on: str = ""
) -> Setting:
    """Return the setting with a cap that leaves out a share of the space.

    Args:
        setting: What is searched.
        excluded: Share of the space above the cap.
        since: Share of the search after which it comes.
        on: The property; the family's own choice where empty, or the first it knows.
    """
    name = on or cappable_properties(setting)[0]
    return change_family(setting, cap=1.0 - excluded, capped=name, cap_since=since)
