"""The digest of a class's source, with all of the notebook's that it uses.

It belongs to the key of a run, so that a class that was changed, or a helper of it in
another cell, never gets the results of the one before.
"""

import ast
import hashlib
import inspect
import linecache
import types
from collections.abc import Iterator
from typing import Any

from engine.contract.errors import Refused

_PLAIN = (int, float, complex, str, bytes, bool, type(None))


def find_source(part: type) -> str:
    """Return the source of a class, also where it was typed into a notebook.

    Raises:
        Refused: If Python has not kept it, as in a plain interactive session.
    """
    try:
        return inspect.getsource(part)
    except (OSError, TypeError):
        pass
    for function in _functions(part):
        lines = linecache.getlines(function.__code__.co_filename)
        found = _class_around(lines, part.__name__, function.__code__.co_firstlineno)
        if found:
            return found
    raise Refused(
        f"the source of {part.__name__} is not known here, and the key of a run needs "
        "it; define the class in a notebook's cell or in a file"
    )


def _class_around(lines: list[str], name: str, line: int) -> str:
    """Return the source of the class of a name that holds a line; empty if none."""
    if not lines:
        return ""
    for node in ast.walk(ast.parse("".join(lines))):
        if isinstance(node, ast.ClassDef) and node.name == name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if first <= line <= (node.end_lineno or 0):
                return "".join(lines[first - 1 : node.end_lineno])
    return ""


def digest_source(part: type) -> str:
    """Return the sha256 of a class's source and of what it uses.

    That is each class that it derives from, function, class and constant of the module
    that defines it, and in turn what those use; what is imported counts by its name.

    Raises:
        Refused: If it uses a variable that has no lasting value, such as a model.
    """
    seen: dict[str, str] = {}
    _collect(part, part.__module__, seen)
    text = "\n".join(f"{name}: {seen[name]}" for name in sorted(seen))
    return hashlib.sha256(text.encode()).hexdigest()


def _collect(thing: Any, module: str, seen: dict[str, str]) -> None:
    name = getattr(thing, "__qualname__", "")
    if name in seen:
        return
    if isinstance(thing, type):
        seen[name] = find_source(thing)
        # One method may be taken from elsewhere: only those of this module count.
        functions = list(_functions(thing))
        for base in thing.__mro__[1:]:
            if base.__module__ == module:
                _collect(base, module, seen)
    else:
        seen[name] = inspect.getsource(thing)
        functions = [thing]
    for function in functions:
        for used, value in _used_names(function):
            _collect_value(used, value, module, seen)


def _collect_value(used: str, value: Any, module: str, seen: dict[str, str]) -> None:
    """Add a variable that a function uses."""
    if isinstance(value, types.ModuleType):
        return
    if isinstance(value, (type, types.FunctionType)):
        if value.__module__ == module:
            _collect(value, module, seen)
        return
    if callable(value) and getattr(value, "__module__", module) != module:
        return  # imported, such as a function of torch
    seen[f"variable {used}"] = _describe_value(used, value)


def _describe_value(used: str, value: Any) -> str:
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_describe_value(used, each) for each in value)}]"
    if isinstance(value, dict):
        pairs = (f"{k!r}: {_describe_value(used, v)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if hasattr(value, "detach"):  # a tensor, without importing torch
        value = value.detach().cpu().numpy()
    if hasattr(value, "tobytes") and hasattr(value, "dtype"):
        digest = hashlib.sha256(value.tobytes()).hexdigest()
        return f"{value.dtype} {value.shape} {digest}"
    raise Refused(
        f"the class uses the variable {used!r}, a {type(value).__name__}, which the "
        "key of a run cannot tell apart; make it a knob, a number, an array or a "
        "function"
    )


def _functions(part: type) -> Iterator[types.FunctionType]:
    """Yield the functions that a class defines."""
    for value in vars(part).values():
        held = getattr(value, "__func__", getattr(value, "fget", value))
        held = getattr(held, "func", held)  # of a cached property
        held = inspect.unwrap(held) if callable(held) else held
        if isinstance(held, types.FunctionType) and held.__module__ == part.__module__:
            yield held


def _used_names(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the variables outside a function that it uses, and their values."""
    for name in _names(function.__code__):
        if name in function.__globals__:
            yield name, function.__globals__[name]
    names = function.__code__.co_freevars
    for name, cell in zip(names, function.__closure__ or (), strict=True):
        if name != "__class__":
            yield name, cell.cell_contents


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
