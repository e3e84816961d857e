"""Parts that a notebook defines: learners, families, shifts, nets.

A part of the lab is a file. Here a class in a cell becomes one: it gets a module of its
own name, with the class's docstring, and the digest of its source goes into the key of
every run that uses it. Such a run is computed in this process, as no other one has it.
"""

import inspect
import linecache
import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar
from weakref import WeakKeyDictionary

from engine.contract import registry
from engine.contract.errors import PartRefused, Refused
from engine.contract.parts import Part
from engine.contract.registration import SLOTS, class_name
from engine.contract.run_spec import RunSpec
from engine.protocol import Family
from metascope.source_digest import digest_source, find_source

P = TypeVar("P", bound=Part)
_PACKAGE = "metascope.own"
_REPLACED = ("__module__", "__name__", "__doc__")  # by those of a part's module
_written: WeakKeyDictionary[type, dict[str, str]] = WeakKeyDictionary()


def register(part: type[P] | None = None, /, *, name: str = "") -> Callable[..., type]:
    """Make a class a part that experiments can name: a decorator.

    The class derives from a base class of `metascope.parts`, as a part's file does.
    Its docstring begins with a line `Title: summary.`, followed by an empty line and
    the part's equation; without `version` it has version 1.

    Args:
        part: The class.
        name: Its name in specs; the class's in lower case if empty: `sign_descent` for
            `SignDescent`. A class of the same name that was registered before is
            replaced, unless it belongs to the lab.

    Returns:
        The class. The catalogue has it at once; runs of it are computed in this
        process, and kept by the digest of its source.

    Raises:
        Refused: If the class lacks something, in one sentence with the remedy.

    Example:
        >>> import metascope as ms
        >>> from metascope.parts import Direction, DirectionOptimizer
        >>> @ms.register
        ... class SignDescent(DirectionOptimizer):
        ...     \"\"\"Sign descent: every weight moves by the rate.
        ...
        ...     w ← w − η sign(g).
        ...     \"\"\"
        ...
        ...     solves = frozenset({"optimization"})
        ...
        ...     def start(self, weights):
        ...         return {}
        ...
        ...     def direction(self, inputs, state):
        ...         return Direction(inputs.grad.sign(), state)
        >>> ms.catalogue().learners.sign_descent
        <learner sign_descent: Sign descent>
    """
    if part is None:
        return lambda held: register(held, name=name)
    from engine.catalogue import discover_parts, find_card

    discover_parts()
    _take_back(part)
    slot = _check_class(part)
    typed, name = part.__name__, name or _snake_case(part.__name__)
    _refuse_taken(slot, name)
    digest, source = digest_source(part), find_source(part)
    _settle(part, name, digest)
    _make_module(part, source)
    try:
        registry.register(slot)(part)
        find_card.cache_clear()
        find_card(slot, name)  # a docstring that is no card is refused here
    except Refused as refusal:
        registry.forget(slot, name)
        if not isinstance(refusal, PartRefused):
            raise
        # The module is one of ours; whoever wrote the class knows it by its name.
        problem = refusal.message.removeprefix(f"{part.__module__}: ")
        raise PartRefused(f"{typed}: {problem}", slot) from None
    finally:
        find_card.cache_clear()
    return part


def _check_class(part: type[Part]) -> str:
    """Return the slot of a class that is to be registered.

    Raises:
        Refused: If it is no class of a part, or its docstring has no title.
    """
    slot = getattr(part, "slot", "") if isinstance(part, type) else ""
    if slot not in SLOTS:
        raise Refused(
            f"{getattr(part, '__name__', repr(part))} is not a part: write "
            "@metascope.register above a class that derives from Learner, Family, "
            "Shift, Net, Estimator or OuterRule of metascope.parts"
        )
    # The docstring of a base class would be the card of another part.
    head, _, _ = inspect.cleandoc(vars(part).get("__doc__") or "").partition("\n")
    title, _, summary = head.partition(": ")
    if not (title and summary):
        raise PartRefused(
            f"{part.__name__} needs a docstring whose first line reads 'Title: "
            "summary.', such as 'Sign descent: every weight moves by the rate.'; then "
            "an empty line and its equation",
            slot,
        )
    return slot


def _snake_case(name: str) -> str:
    """Return a class's name as a part's.

    >>> _snake_case("SignDescent"), _snake_case("R2d2")
    ('sign_descent', 'r2d2')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _refuse_taken(slot: str, name: str) -> None:
    for held in registry.parts(slot):
        if held.name == name and not held.own_source:
            raise Refused(
                f"the lab has a {slot} called {name!r} already; give the class another "
                "name",
                slot,
            )


def _take_back(part: type[Part]) -> None:
    """Make a class that was registered before what it was in its cell."""
    for name, value in _written.get(part, {}).items() if isinstance(part, type) else ():
        setattr(part, name, value)


def _settle(part: type[Part], name: str, digest: str) -> None:
    """Give a class what its file would: a module, a version, a docstring's equation."""
    _written[part] = {name: getattr(part, name) for name in _REPLACED}
    # As in the lab, families have a folder for each kind of task.
    folder = f"{part.slot}.{part.kind}" if issubclass(part, Family) else part.slot
    part.__module__ = f"{_PACKAGE}.{folder}.{name}"
    part.__name__ = class_name(name)
    if "version" not in vars(part):
        part.version = 1
    part.own_source = digest


def _make_module(part: type[Part], source: str) -> None:
    """Make the module of a class: its docstring and source are the part's card.

    The first line of the class's docstring goes to the module, the rest stays, as it
    begins with the equation.
    """
    text = inspect.cleandoc(part.__doc__ or "")
    head, _, rest = text.partition("\n\n")
    module = ModuleType(part.__module__, text)
    module.__file__ = f"/{part.__module__.replace('.', '/')}-{part.own_source}.py"
    lines = source.splitlines(keepends=True)
    linecache.cache[module.__file__] = (len(source), None, lines, module.__file__)
    sys.modules[part.__module__] = module
    if rest and ": " in head:
        part.__doc__ = rest
    setattr(module, part.__name__, part)


def own_parts_of(spec: RunSpec) -> list[str]:
    """Return the names of a spec's parts that a notebook defines."""
    from engine.catalogue import find_card

    chosen = [("family", c.name) for c in (spec.family, *spec.test_families)]
    chosen += [("shift", c.name) for c in spec.shifts]
    chosen += [("learner", c.name) for c in spec.learners]
    chosen += [(s, getattr(spec, s).name) for s in ("net", "estimator", "outer")]
    return [name for slot, name in chosen if find_card(slot, name).own_source]
