"""Every command line that is written down can be given: it parses, and is not run."""

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from engine.__main__ import app
from engine.data.sources.download import SETS
from engine.presets import PRESETS
from engine.published import ROWS

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("app", "engine", "pages", "tests", ".ci", ".hosting")
# A command ends where its line, its quotation or its sentence ends, or the shell's.
COMMAND = re.compile(r"python -m ((?:engine|tests|app)[\w.]*)([^`\"'\n>|;#)]*)")
SHORT = re.compile(r"`((?:data|runs|knowledge) [a-z-]+)`")
TARGET = re.compile(r"(?:^|`)make ([a-z]+)", re.MULTILINE)
# What a word stands for where it is not a file of one's own.
NAMES = {
    ("run",): {each.name for each in PRESETS},
    ("presets",): {each.name for each in PRESETS},
    ("published",): {row.task for row in ROWS},
    ("data", "fetch"): set(SETS),
    ("data", "build"): {"mosaic"},
}


@dataclass(frozen=True)
class Written:
    """A command as it is written somewhere, and whether it is all there."""

    module: str
    words: tuple[str, ...]
    where: str
    whole: bool


def texts() -> Iterator[Path]:
    yield from sorted(ROOT.glob("*.md"))
    yield from (ROOT / "Makefile", ROOT / ".ci" / "run")
    for room in ROOMS:
        files = sorted((ROOT / room).rglob("*.py"))
        yield from (path for path in files if path != Path(__file__).resolve())
        yield from sorted((ROOT / room).rglob("*.md"))


def commands(path: Path) -> Iterator[Written]:
    """Yield the commands of a file; a comment's, a sentence's and a shell's."""
    text = path.read_text()
    for found in COMMAND.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        words = re.sub(r"\{[^}]*\}", "WORD", found[2])  # of an f-string
        words = re.sub(r"\[(.*?)\]", r"\1", words)  # what may be left out
        start = text.rfind("\n", 0, found.start()) + 1
        whole = path.suffix == ".md" and found.start() == start
        where = f"{path.relative_to(ROOT)}:{line}"
        yield Written(found[1].rstrip("."), tuple(words.split()), where, whole)


@cache
def written() -> tuple[Written, ...]:
    return tuple(each for path in texts() for each in commands(path))


def engine_problem(words: tuple[str, ...], whole: bool) -> str:
    """Say why a command cannot be given, or nothing; it is parsed and not run."""
    command: Any = typer.main.get_command(app)
    path: list[str] = []
    rest = [word for word in words if word != "--help"]
    while rest and rest[0] in getattr(command, "commands", {}):
        path.append(rest.pop(0))
        command = command.commands[path[-1]]
    if getattr(command, "commands", {}) and rest and not rest[0].startswith("-"):
        return f"{' '.join(path) or 'engine'} has no command {rest[0]}"
    if not rest and not whole:
        return ""  # the command is only named
    known = NAMES.get(tuple(path))
    named = rest[0] if rest and re.fullmatch(r"[a-z]\w*", rest[0]) else ""
    if known and named and named not in known:
        return f"{' '.join(path)} knows no {named}"
    try:
        command.make_context(" ".join(path), rest)
    except typer.TyperException as error:
        return str(error.format_message())
    return ""


def module_problem(module: str, words: tuple[str, ...]) -> str:
    """Say why a module of tests or app cannot be called so, or nothing; it is read."""
    place = ROOT / module.replace(".", "/")
    files = (place.with_suffix(".py"), place / "__main__.py")
    path = next((each for each in files if each.exists()), None)
    if path is None:
        return f"there is no {module} to run"
    tree = ast.walk(ast.parse(path.read_text()))
    known = {each.value for each in tree if isinstance(each, ast.Constant)}
    unknown = [word for word in words if word.startswith("--") and word not in known]
    return f"{module} has no {unknown[0]}" if unknown else ""


def problem(each: Written) -> str:
    if each.module == "engine":
        return engine_problem(each.words, each.whole)
    return module_problem(each.module, each.words)


def test_every_command_that_is_written_down_can_be_given() -> None:
    wrong = [f"{each.where}: {why}" for each in written() if (why := problem(each))]
    assert wrong == []


def test_every_command_that_is_named_in_short_exists() -> None:
    named = {
        (tuple(words.split()), str(path.relative_to(ROOT)))
        for path in texts()
        for words in SHORT.findall(path.read_text())
    }
    assert len(named) >= 3
    wrong = [f"{where}: {engine_problem(words, False)}" for words, where in named]
    assert [each for each in wrong if not each.endswith(": ")] == []


def test_commands_are_found_where_they_are_written() -> None:
    """The reading itself may go blind; these are there for sure."""
    readme = {each.words[:2] for each in written() if each.where.startswith("README")}
    assert readme >= {("data", "fetch"), ("runs", "list"), ("run", "mine.json")}
    assert {"engine", "app.report", "tests.torture", "tests.record"} <= {
        e.module for e in written()
    }
    assert len(written()) > 40


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("data fecth omniglot", "no command fecth"),
        ("data fetch imagenet", "knows no imagenet"),
        ("run smoek --out x", "knows no smoek"),
        ("run smoke", "'--out'"),
        ("runs table KEY --latx", "--latx"),
        ("runs list KEY OTHER", "unexpected extra argument"),
        ("teach", "no command teach"),
    ],
)
def test_a_command_that_cannot_be_given_is_noticed(line: str, why: str) -> None:
    assert why in engine_problem(tuple(shlex.split(line)), True)


def test_a_module_or_an_option_that_is_not_there_is_noticed() -> None:
    assert "no tests.tortoise" in module_problem("tests.tortoise", ())
    assert "no --slow" in module_problem("tests.torture", ("--slow",))
    assert module_problem("tests.torture", ("A1", "--quick")) == ""


def test_every_make_target_that_is_written_down_exists() -> None:
    rules = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = {
        (target, path.name)
        for path in texts()
        for target in TARGET.findall(path.read_text())
    }
    assert {target for target, _ in named} >= {"run", "test", "check", "lock"}
    assert [each for each in sorted(named) if each[0] not in rules] == []
