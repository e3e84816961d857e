"""What a test family is called where one family is tested with several knobs."""

from engine.contract.runs import Choice, RunSpec
from engine.stats.phrases import words


def place_of(spec: RunSpec, name: str) -> str:
    """Return what a condition's family is called, by what sets it apart.

    Args:
        spec: The run.
        name: Of the condition, such as "mosaic_2"; empty in place.

    Returns:
        The data set that is searched on, where the family has several; else the name.
    """
    found = choice_of(spec, name)
    return words(name) if found is None else titled_place(found, words(name))


def choice_of(spec: RunSpec, name: str) -> Choice | None:
    """Return the test family that a condition names; the trained one in place."""
    if not name:
        return spec.family
    named = zip(named_families(spec), spec.test_families, strict=True)
    return next((choice for at, choice in named if at == name), None)


def named_families(spec: RunSpec) -> list[str]:
    """Return the names of a run's test families, as its conditions have them."""
    names, seen = [c.name for c in spec.test_families], dict[str, int]()
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if names.count(name) == 1 else f"{name}_{seen[name]}")
    return told


def titled_place(choice: Choice, otherwise: str = "") -> str:
    """Return the data set that a family is searched on, or its name."""
    return str(choice.knobs.get("target", "") or otherwise or words(choice.name))
