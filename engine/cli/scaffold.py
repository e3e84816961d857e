"""The files of a new part, as text: a copy of one that works, and a test to be filled.

Nothing here writes: `engine.cli.new` does, after all that can be refused was looked at.
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
from engine.contract.text_input import clean
from engine.protocol import Learner, SampledFamily

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests" / "scaffold"  # the test to be filled of each slot
# What the text of a copy says as long as nobody has written what belongs there.
UNWRITTEN = "say "
COPIED = "# Begun as a copy of"
_HEAD = '''"""{title}: say in one sentence what it does.

Source: say who, when, the arXiv id and the number of the algorithm.
Differs: say how it departs from its source.
Helps: say where it is worth its price, and where it is not.
"""

# Begun as a copy of {like}.py, and it computes the same until you change
#   1. the four paragraphs above, and the equation under the name of the class;
#   2. the fields: the kinds of task that it solves, the knobs, what is special;
#   3. the methods. The version stays 1 until others have run it.
# `python -m engine check {name}` says what is missing. Then delete these lines.
'''


def refuse_name(slot: str, name: str, template: type[Part]) -> None:
    """Refuse a name that a new part cannot have.

    Args:
        slot: The slot that the part is for.
        name: What it is to be called.
        template: The class that it is copied from.

    Raises:
        Refused: With the name, what is wrong with it and what is allowed.
    """
    shown = repr(clean(name)[:40])
    if not is_part_name(name):
        raise Refused(
            f"{shown} is no name of a part; use small letters, digits and single "
            f"underscores, beginning with a letter, as in my_{slot}",
            "name",
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise Refused(f"{shown} is a reserved word of Python; choose another", "name")
    taken = {part.name for part in parts(slot)}
    there = sorted((ROOT / "engine" / SLOTS[slot]).rglob(f"{name}.py"))
    if name in taken or there:
        file = there[0].relative_to(ROOT) if there else f"{name}.py"
        raise Refused(f"the {slot} {shown} is there already, in {file}", "name")
    if hasattr(sys.modules[template.__module__], class_name(name)):
        raise Refused(
            f"the class of {shown} would be called {class_name(name)}, which "
            f"{template.name}.py uses for something else; choose another name",
            "name",
        )


def part_folder(slot: str, template: type[Part], folder: str) -> Path:
    """Return where the file of a new part goes: beside its template, or where asked.

    Raises:
        Refused: If there is no such folder for this slot, or nobody may write there.
    """
    room = ROOT / "engine" / SLOTS[slot]
    beside = Path(inspect.getfile(template)).parent
    found = room / folder if folder else beside
    held = sorted(p.parent.name for p in room.glob("*/__init__.py"))
    if folder and (folder not in held or (slot == "family" and found != beside)):
        fit = [beside.name] if slot == "family" else held
        allowed = f"one of {', '.join(fit)}" if fit else "left out"
        raise Refused(
            f"what is like {template.name} cannot go into {clean(folder)[:40]!r}; "
            f"--folder must be {allowed}",
            "folder",
        )
    refuse_unwritable(found)
    return found


def refuse_unwritable(folder: Path) -> None:
    """Refuse a folder that nobody may write to.

    Raises:
        Refused: With the folder and what to do.
    """
    if not os.access(folder, os.W_OK):
        raise Refused(
            f"{folder} is read-only; work in a clone of the repository that you may "
            "write to",
            "folder",
        )


def part_source(template: type[Part], name: str) -> str:
    """Return the file of a new part: its template's code under another name.

    Args:
        template: A registered class.
        name: The new part's name.

    Returns:
        The text; its version is 1, and its docstring is to be written.
    """
    source = inspect.getsource(sys.modules[template.__module__])
    docstring = ast.parse(source).body[0]
    code = "".join(source.splitlines(keepends=True)[docstring.end_lineno :])
    code = rename_class(code, template.__name__, class_name(name))
    code = re.sub(r"(version: ClassVar\[int\]) = \d+", r"\1 = 1", code)
    # A short name and a color are its template's own: two alike are not told apart.
    code = re.sub(r"(?m)^    (short|hue|tuned_hue): ClassVar.*\n", "", code)
    return _HEAD.format(title=title(name), like=template.name, name=name) + code


def rename_class(code: str, old: str, new: str) -> str:
    """Return a program with a class renamed; what strings say to people stays.

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
    """Return where the test of a part goes: the tests mirror the tree."""
    mirrored = ROOT / "tests" / part_file.parent.relative_to(ROOT / "engine")
    return mirrored if mirrored.is_dir() else ROOT / "tests" / SLOTS[slot]


def has_tests() -> bool:
    """Return whether the tests are in this installation."""
    return TESTS.is_dir()


def source_of_test(slot: str, name: str, variant: str) -> str:
    """Return the test file of a new part: it fails until its truth is written.

    Args:
        slot: The slot that the part is for.
        name: What it is called.
        variant: As `variant_of_test` says.
    """
    of = "_".join(filter(None, (slot, variant)))
    text = (TESTS / f"{of}.txt").read_text("utf-8")
    return Template(text).substitute(name=name, title=title(name))


def variant_of_test(template: type[Part]) -> str:
    """Return which of its slot's tests fits a part: empty where there is only one."""
    if issubclass(template, Learner):
        return min(template.solves)
    return "data" if issubclass(template, SampledFamily) else ""


def title(name: str) -> str:
    """Return how a part's name begins a sentence.

    >>> title("my_maml")
    'My maml'
    """
    return name.replace("_", " ").capitalize()
