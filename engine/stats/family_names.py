"""Display names of families, also where several differ only in their knobs."""

from collections.abc import Sequence

from engine.contract.learner_appearance import name_in_words
from engine.contract.run_spec import Choice, RunSpec

FILE, SHORT = "digest", 8  # the knob that names a file, and enough of its digits


def family_title(spec: RunSpec, name: str) -> str:
    """Return the display name of a condition's family, by the knobs that differ.

    Args:
        spec: The run.
        name: Of the condition, such as "mosaic_2"; empty in distribution.

    Returns:
        Such as the data set that is searched on; the family's name where no knob
        differs.
    """
    found = find_test_family(spec, name)
    if found is None:
        return name_in_words(name)
    return target_title(found, (spec.family, *spec.test_families), name_in_words(name))


def find_test_family(spec: RunSpec, name: str) -> Choice | None:
    """Return the test family that a condition names; empty is the trained one."""
    if not name:
        return spec.family
    named = zip(name_test_families(spec), spec.test_families, strict=True)
    return next((choice for at, choice in named if at == name), None)


def name_test_families(spec: RunSpec) -> list[str]:
    """Return the names of a run's test families, as its conditions have them."""
    names, seen = [c.name for c in spec.test_families], dict[str, int]()
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        # A family that occurs twice is numbered, as its conditions are in the store.
        told.append(name if names.count(name) == 1 else f"{name}_{seen[name]}")
    return told


def target_title(choice: Choice, among: Sequence[Choice], otherwise: str = "") -> str:
    """Return what a family is tested on, named by the knobs that differ.

    Args:
        choice: The family.
        among: All families to distinguish it from.
        otherwise: Its name where nothing differs.

    >>> near, far = (Choice(name="nk", knobs={"kinship": k}) for k in (0.9, 0.1))
    >>> target_title(far, (near, far))
    'kinship 0.1'
    >>> red, white = (Choice(name="own_data", knobs={"digest": d * 64}) for d in "ab")
    >>> target_title(white, (red, white))
    'own data bbbbbbbb'
    """
    if "target" in choice.knobs:
        return str(choice.knobs["target"])
    alike = [other for other in among if other.name == choice.name]
    differing = [
        _knob_in_words(choice, knob)
        for knob, value in choice.knobs.items()
        if any(other.knobs.get(knob) != value for other in alike)
    ]
    return ", ".join(differing) or otherwise or name_in_words(choice.name)


def _knob_in_words(choice: Choice, knob: str) -> str:
    """Return a knob and its value; the user's own file is named by its checksum."""
    value = str(choice.knobs[knob])
    if knob == FILE:
        return f"{name_in_words(choice.name)} {value[:SHORT]}"
    return f"{name_in_words(knob)} {value}"


def source_title(choice: Choice, among: Sequence[Choice]) -> str:
    """Return what a family is trained on, named by its source or as a target is."""
    if "source" in choice.knobs:
        return str(choice.knobs["source"])
    return target_title(choice, among)
