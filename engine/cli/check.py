"""check: what a part still lacks, and whether it passes the laws of all parts."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.console import Exit, out, print_status
from engine.contract.errors import Refused

if TYPE_CHECKING:
    from engine.cli.part_report import Line

Name = Annotated[str, typer.Argument(help="Name of the part, or --all.")]
All = Annotated[bool, typer.Option("--all", help="Check every part; takes minutes.")]
NoLaws = Annotated[
    bool, typer.Option("--no-laws", help="Inspect only; do not run the laws (tests).")
]
# Golden rows are a law too: they notice a changed number without a new version.
LAWS = ("tests/laws", "tests/golden")


def check(name: Name = "", *, every: All = False, no_laws: NoLaws = False) -> int:
    """Report what a part lacks or fails, each with its remedy."""
    if bool(name) == every:
        raise Refused("give the name of one part, or --all", "name")
    fine = _show_part(name) if name else _show_all()
    if no_laws:
        _show_line(_line("laws", "not run because of --no-laws", checked=False))
    else:
        fine &= _show_line(_laws(name))
    return Exit.OK if fine else Exit.FAILED


def _show_part(name: str) -> bool:
    """Print the report on each part of this name; several slots may have one."""
    from engine.cli.part_report import part_files, report
    from engine.contract.suggestions import unknown_part_error

    files = part_files(name)
    if not files:
        raise unknown_part_error("part", name, _names())
    fine = True
    for path, slot in files.items():
        for line in report(path, slot):
            fine &= _show_line(line)
    return fine


def _show_all() -> bool:
    """Print what is wrong with each part, and one line for each complete part."""
    from engine.cli.part_report import report

    fine = True
    for path, slot in _every_file().items():
        wrong = [line for line in report(path, slot) if not line.fine]
        if not wrong:
            _show_line(_line(f"{slot} {path.stem}", "nothing is missing"))
        for line in wrong:
            told = f"{line.what}: {line.message}"
            fine &= _show_line(_line(f"{slot} {path.stem}", told, fine=False))
    return fine


def _every_file() -> dict[Path, str]:
    """Return the file of every part, also of those that forgot to register."""
    from engine.cli.part_report import part_files
    from engine.cli.scaffold import ROOT
    from engine.contract.registration import SLOTS

    found: dict[Path, str] = {}
    for folder in SLOTS.values():
        for path in sorted((ROOT / "engine" / folder).rglob("[a-z]*.py")):
            if _is_part_or_forgotten(path):
                found |= {p: s for p, s in part_files(path.stem).items() if p == path}
    return found


def _is_part_or_forgotten(path: Path) -> bool:
    """Return whether a file registers a part, or has the class of one that should."""
    from engine.contract.registration import class_name

    # The text decides, not an import: an incomplete file may fail to import.
    text = path.read_text("utf-8")
    return "@register(" in text or f"class {class_name(path.stem)}" in text


def _names() -> list[str]:
    return sorted({path.stem for path in _every_file()})


def _laws(name: str) -> "Line":
    """Run the laws in a subprocess, so that this one never imports the tests."""
    from engine.cli.scaffold import ROOT, has_tests

    if not has_tests():
        message = "not run: the tests are not part of this installation"
        return _line("laws", message, checked=False)
    words = [*LAWS]
    if name:
        own = sorted((ROOT / "tests").rglob(f"test_{name}.py"))
        words += [str(path.relative_to(ROOT)) for path in own]
        words += ["--part", name]
    print_status(f"running the laws of {name or 'every part; this takes minutes'} …")
    # -n 0: to start workers takes longer than the few tests of one part.
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "--tb=line", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "400"},  # pytest cuts a cause at the width
    )
    return outcome_line(done.stdout, done.stderr, done.returncode, " ".join(words))


def outcome_line(told: str, errors: str, code: int, words: str) -> "Line":
    """Summarize a pytest run: what passed, or what failed and how to reproduce it.

    Args:
        told: What pytest wrote to stdout.
        errors: What it wrote to stderr.
        code: Its exit code.
        words: The arguments that it was called with.

    Returns:
        One finding, right if and only if pytest exited with 0.
    """
    last = (told.strip().splitlines() or [""])[-1]
    if code == 0:
        return _line("laws", last)
    what = "; ".join(f"{path}: {cause}" for path, cause in _causes(told).items())
    # A file that cannot be imported fails before any test has a name.
    refused = re.findall(r"(?:Refused|Error): (.+)", told + errors)
    cause = what or (refused or [last or "pytest could not be started"])[-1]
    return _line(
        "laws", f"{cause}; reproduce with: python -m pytest {words}", fine=False
    )


def _causes(told: str) -> dict[str, str]:
    """Return the first error line of each file with a failed test."""
    # A test's values, in brackets, may have blanks.
    test = r"(?:::[^\s\[]+(?:\[.*?\](?= - |$))?)?"
    summary = rf"^(?:FAILED|ERROR) ([^\s:]+){test}(?: - (.*))?$"
    found: dict[str, str] = {}
    for path, cause in re.findall(summary, told, re.MULTILINE):
        found.setdefault(path, cause.removeprefix("AssertionError: ") or "failed")
    return found


def _line(what: str, told: str, *, fine: bool = True, checked: bool = True) -> "Line":
    from engine.cli.part_report import Line

    return Line(what, told, fine, checked)


def _show_line(line: "Line") -> bool:
    """Print one finding; return whether it is right."""
    right = "✓" if line.checked else "–"
    mark = right if line.fine else "✗"
    out().print(f"{mark} {line.what:12} {line.message}", soft_wrap=True)
    return line.fine
