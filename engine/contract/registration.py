"""Checks that a part's class declares all that the engine relies on.

Without them a forgotten declaration would fail silently: a learner without `trains`
would never be trained, one without `solves` never be offered.
"""

import difflib
import inspect
import re
from collections.abc import Iterable
from types import ModuleType

from engine.contract.errors import PartRefused, Refused
from engine.contract.kinds import KINDS
from engine.contract.parts import Part

# The slots of a spec, with the folder of the engine that holds their parts.
SLOTS = {
    "net": "nets",
    "family": "tasks",
    "shift": "shifts",
    "learner": "learners",
    "estimator": "estimators",
    "outer": "outers",
}
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def is_part_name(name: str) -> bool:
    """Return whether a name is valid for a part: lower case, single underscores.

    >>> [is_part_name(name) for name in ("meta_sgd", "MetaSgd", "meta__sgd", "_x")]
    [True, False, False, False]
    """
    return bool(_NAME.fullmatch(name))


def class_name(name: str) -> str:
    """Return the name of a part's class, in CamelCase; acronyms count as words.

    >>> class_name("meta_sgd"), class_name("r2d2")
    ('MetaSgd', 'R2d2')
    """
    return "".join(word.capitalize() for word in name.split("_"))


def refuse_unknown_slot(slot: str, module_name: str = "") -> None:
    """Refuse a slot that specs do not have.

    Args:
        slot: The slot.
        module_name: The module that registers a part for it; empty if none does.

    Raises:
        Refused: With the module, the list of all slots and the most similar one.
    """
    if slot not in SLOTS:
        place = f"{module_name}: " if module_name else ""
        known = f"the slots are {', '.join(SLOTS)}"
        hint = _hint_at_similar(slot, SLOTS)
        error = PartRefused if module_name else Refused
        raise error(f"{place}there is no slot {slot[:40]!r}; {known}{hint}", "slot")


def _hint_at_similar(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean …?" for a misspelled name; empty if none is similar."""
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def refuse_incomplete(slot: str, part: type[Part]) -> None:
    """Refuse a part whose class lacks a declaration that the engine relies on.

    Args:
        slot: The slot that it is registered for.
        part: Its class, in a module of its own.

    Raises:
        Refused: With the module, what is wrong and how to fix it.
    """
    problem = (
        _explain_misplaced(slot, part)
        or _explain_unknown(part)
        or _explain_missing(part)
        or part.why_incomplete()
    )
    if problem:
        raise PartRefused(f"{part.__module__}: {problem}", slot)


def refuse_unregistered(module: ModuleType) -> None:
    """Refuse a module that defines a part but registers nothing.

    A module whose name begins with an underscore is a helper, and so is one without a
    class that looks like a part.

    Raises:
        Refused: With the class and the missing line.
    """
    name = module.__name__.rsplit(".", 1)[-1]
    if name.startswith("_"):
        return
    for found in vars(module).values():
        if not inspect.isclass(found) or found.__module__ != module.__name__:
            continue
        if issubclass(found, Part):
            slot = found.slot or "…"
            raise PartRefused(
                f"{module.__name__}: {found.__name__} is not registered; "
                f'write @register("{slot}") above its class',
                slot,
            )
        if found.__name__ == class_name(name):
            raise PartRefused(f"{module.__name__}: {_explain_no_part(found)}")


def _explain_no_part(found: type) -> str:
    """Return the error for a class with a wrong base class."""
    return (
        f"{found.__name__} is not a part; derive it from Learner, Family, Shift, Net, "
        "Estimator or OuterRule of engine.protocol, or from a subclass"
    )


def _explain_misplaced(slot: str, part: type[Part]) -> str:
    """Return why a class does not fit its slot or its file; empty if it does."""
    if not issubclass(part, Part):
        return _explain_no_part(part)
    name = part.__module__.rsplit(".", 1)[-1]
    if not is_part_name(name):
        return f"{name!r} is not a valid part name; use lower case, as in my_{slot}"
    if part.__name__ != class_name(name):
        called = f"its class must be called {class_name(name)}, not {part.__name__}"
        return f"a part is named after its file: {called}"
    if part.slot != slot:
        made = f"is of slot {part.slot!r}" if part.slot else "derives from Part alone"
        return f"{part.__name__} {made} and cannot be registered for slot {slot!r}"
    return ""


def _explain_unknown(part: type[Part]) -> str:
    """Return which field of a class nothing reads; empty if none."""
    known = set().union(
        *(base.__class_vars__ for base in part.__mro__[1:] if issubclass(base, Part))
    )
    # A name with an underscore is the part's own affair.
    unknown = (n for n in part.__class_vars__ - known if not n.startswith("_"))
    for name in sorted(unknown):
        hint = _hint_at_similar(name, sorted(known))
        hint = hint or f"; if it is a constant of your own, call it _{name}"
        return f"a {part.slot} has no field {name!r}{hint}"
    return ""


def _explain_missing(part: type[Part]) -> str:
    """Return which declaration or method a class lacks; empty if none."""
    kinds = ", ".join(KINDS)
    if lacking := sorted(getattr(part, "__abstractmethods__", ())):
        return f"{part.__name__} lacks {', '.join(lacking)}; write what is missing"
    # `vars`: an inherited version would follow the other part's changes.
    if not isinstance(vars(part).get("version"), int) or part.version < 1:
        return "version is not declared; write `version: ClassVar[int] = 1`"
    if not part.solves:
        return (
            "solves is empty; write the kinds of task that it is for, as in "
            f'`solves: ClassVar[frozenset[str]] = frozenset({{"few_shot"}})` ({kinds})'
        )
    if unknown := sorted(set(part.solves) - KINDS.keys()):
        return f"solves names {unknown[0]!r}; the kinds of task are: {kinds}"
    return ""
