"""The files of a new part, as text: a copy of an existing part, and a test template.

Nothing is written here: `engine.cli.new` writes, after every check has passed.
"""

import ast
import inspect
import keyword
import os
import re
import sys
import tokenize
from pathlib import Path
from string import Template

from engine.contract.errors import Refused
from engine.contract.parts import Part
from engine.contract.registration import SLOTS, class_name, is_part_name
from engine.contract.registry import parts
from engine.contract.text_decoding import clean
from engine.protocol import Learner, SampledFamily

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests" / "scaffold"  # the test template of each slot
# How the placeholders of a copy's docstring begin; `check` looks for it.
UNWRITTEN = "say "
COPIED = "# A copy of"
_HEAD = '''"""{title}: say in one sentence what it does.

Source: say who, when, the arXiv id and the number of the algorithm.
Differs: say how it departs from its source.
Helps: say when it is worth its cost, and when it is not.
"""

# A copy of {like}.py, which computes the same until you change
#   1. the four paragraphs above, and the equation under the name of the class;
#   2. the fields: the kinds of task that it solves, the knobs, what is special;
#   3. the methods. The version stays 1 until others have run it.
# `python -m engine check {name}` says what is missing. Then delete these lines.
'''


def refuse_name(slot: str, name: str, template: type[Part]) -> None:
    """Refuse a name that a new part cannot have.

    Args:
        slot: The slot of the part.
        name: Its name.
        template: The class to copy.

    Raises:
        Refused: With the name, what is wrong with it and what is allowed.
    """
    shown = repr(clean(name)[:40])
    if not is_part_name(name):
        raise Refused(
            f"{shown} is not a valid part name; use lowercase letters, digits and "
            f"single underscores, starting with a letter, such as my_{slot}",
            "name",
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise Refused(f"{shown} is a Python keyword; choose another name", "name")
    taken = {part.name for part in parts(slot)}
    # A file that failed to register is in no registry, but must not be overwritten.
    there = sorted((ROOT / "engine" / SLOTS[slot]).rglob(f"{name}.py"))
    if name in taken or there:
        file = there[0].relative_to(ROOT) if there else f"{name}.py"
        raise Refused(f"the {slot} {shown} already exists, in {file}", "name")
    if hasattr(sys.modules[template.__module__], class_name(name)):
        raise Refused(
            f"the class of {shown} would be called {class_name(name)}, which "
            f"{template.name}.py uses for something else; choose another name",
            "name",
        )


def part_folder(slot: str, template: type[Part], folder: str) -> Path:
    """Return the folder of a new part: that of its template, or the one asked for.

    Raises:
        Refused: If this slot has no such folder, or it is read-only.
    """
    room = ROOT / "engine" / SLOTS[slot]
    beside = Path(inspect.getfile(template)).parent
    found = room / folder if folder else beside
    held = sorted(p.parent.name for p in room.glob("*/__init__.py"))
    if folder and (folder not in held or (slot == "family" and found != beside)):
        fit = [beside.name] if slot == "family" else held
        allowed = f"one of {', '.join(fit)}" if fit else "left out"
        raise Refused(
            f"a copy of {template.name} cannot go into {clean(folder)[:40]!r}; "
            f"--folder must be {allowed}",
            "folder",
        )
    refuse_unwritable(found)
    return found


def refuse_unwritable(folder: Path) -> None:
    """Refuse a folder without write permission.

    Raises:
        Refused: With the folder and the remedy.
    """
    if not os.access(folder, os.W_OK):
        raise Refused(
            f"{folder} is read-only; work in a writable clone of the repository",
            "folder",
        )


def part_source(template: type[Part], name: str) -> str:
    """Return the source of a new part: its template's code under another name.

    Args:
        template: A registered class.
        name: The new part's name.

    Returns:
        The text, with version 1 and a docstring of placeholders.
    """
    source = inspect.getsource(sys.modules[template.__module__])
    docstring = ast.parse(source).body[0]
    code = "".join(source.splitlines(keepends=True)[docstring.end_lineno :])
    code = rename_class(code, template.__name__, class_name(name))
    code = re.sub(r"(version: ClassVar\[int\]) = \d+", r"\1 = 1", code)
    # With its template's short name and color, two curves would look alike.
    code = re.sub(r"(?m)^    (short|hue|tuned_hue): ClassVar.*\n", "", code)
    return _HEAD.format(title=title(name), like=template.name, name=name) + code


def rename_class(code: str, old: str, new: str) -> str:
    """Return a program with a class renamed; strings and comments are unchanged.

    >>> rename_class("class Unroll: pass  # Unroll", "Unroll", "MyPart")
    'class MyPart: pass  # Unroll'
    """
    lines = code.splitlines(keepends=True)
    found = list(tokenize.generate_tokens(iter(lines).__next__))
    for token in reversed(found):  # from the end, so that earlier columns stay right
        if token.type == tokenize.NAME and token.string == old:
            (row, start), (_, stop) = token.start, token.end
            line = lines[row - 1]
            lines[row - 1] = line[:start] + new + line[stop:]
    return "".join(lines)


def folder_of_test(slot: str, part_file: Path) -> Path:
    """Return the folder of a part's test: tests/ mirrors engine/."""
    mirrored = ROOT / "tests" / part_file.parent.relative_to(ROOT / "engine")
    return mirrored if mirrored.is_dir() else ROOT / "tests" / SLOTS[slot]


def has_tests() -> bool:
    """Return whether this installation includes the tests."""
    return TESTS.is_dir()


def source_of_test(slot: str, name: str, variant: str) -> str:
    """Return the test of a new part; it fails until its expected values are written.

    Args:
        slot: The slot of the part.
        name: Its name.
        variant: The result of `variant_of_test`.
    """
    of = "_".join(filter(None, (slot, variant)))
    text = (TESTS / f"{of}.txt").read_text("utf-8")
    return Template(text).substitute(name=name, title=title(name))


def variant_of_test(template: type[Part]) -> str:
    """Return which test template of its slot fits a part; empty if there is one."""
    if issubclass(template, Learner):
        return min(template.solves)
    return "data" if issubclass(template, SampledFamily) else ""


def title(name: str) -> str:
    """Return a part's name as the title of its docstring.

    >>> title("my_maml")
    'My maml'
    """
    return name.replace("_", " ").capitalize()
