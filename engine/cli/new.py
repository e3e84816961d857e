"""new: create the files of a new part, as a copy of an existing one."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.console import Exit, out, print_error, print_status
from engine.contract.errors import Refused

Slot = Annotated[
    str, typer.Argument(help="learner, family, shift, net, estimator or outer.")
]
Name = Annotated[
    str, typer.Argument(help="Name of the part and its file, such as my_maml.")
]
Like = Annotated[str, typer.Option(help="The part to copy, such as maml.")]
Folder = Annotated[
    str, typer.Option(help="Folder of a learner; default: that of the copied part.")
]
GOLDEN_ROWS = "tests/golden/rows.json"
GOLDEN_SLOTS = ("learner", "family", "shift", "estimator")  # the others have no rows
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only list the files that would change.")
]


def new(
    slot: Slot, name: Name, *, like: Like = "", folder: Folder = "", dry: DryRun = False
) -> int:
    """Create a part of your own: its file, and a test to complete."""
    files = _files(slot, name, like, folder)
    if not dry:
        write_files(files)
    for path in files:
        out().print(f"{'would write' if dry else 'wrote'} {path}", soft_wrap=True)
    has_rows = len(files) > 1 and slot in GOLDEN_SLOTS
    if dry:
        if has_rows:
            out().print(f"would change {GOLDEN_ROWS}", soft_wrap=True)
        return Exit.OK
    recorded = _record(name) if has_rows else True
    print_status(
        f"next: edit the new file; `python -m engine check {name}` lists what is left"
    )
    return Exit.OK if recorded else Exit.FAILED


def _files(slot: str, name: str, like: str, folder: str) -> dict[Path, str]:
    """Return the text of each new file; refuse whatever is wrong before any is written.

    Raises:
        Refused: With the value, what is allowed, and the argument it came from.
    """
    from engine.catalogue import discover_parts
    from engine.cli import scaffold
    from engine.contract.registration import refuse_unknown_slot
    from engine.contract.registry import part, parts

    refuse_unknown_slot(slot)
    discover_parts()
    if not like:
        held = ", ".join(each.name for each in parts(slot))
        raise Refused(
            f"add --like with the {slot} to copy; one of: {held}",
            "like",
        )
    template = part(slot, like)
    scaffold.refuse_name(slot, name, template)
    path = scaffold.part_folder(slot, template, folder) / f"{name}.py"
    files = {path: scaffold.part_source(template, name)}
    if not scaffold.has_tests():  # installed without the tests: the part alone
        return files
    tests = scaffold.folder_of_test(slot, path)
    test = tests / f"test_{name}.py"
    if test.exists():
        raise Refused(f"{test} already exists; choose another name", "name")
    scaffold.refuse_unwritable(tests if tests.is_dir() else tests.parent)
    if not tests.is_dir():
        files[tests / "__init__.py"] = ""
    variant = scaffold.variant_of_test(template)
    return {**files, test: scaffold.source_of_test(slot, name, variant)}


def write_files(files: dict[Path, str]) -> None:
    """Write all files, or none if one cannot be written.

    Args:
        files: The text of each new file.

    Raises:
        Refused: If one exists by now or cannot be written; the others are removed.
    """
    written: list[Path] = []
    try:
        for path, text in files.items():
            path.parent.mkdir(exist_ok=True)
            # "x": never overwrite a file that appeared since the check.
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink()
        raise Refused(f"cannot write {error.filename}: {error.strerror}") from error


def _record(name: str) -> bool:
    """Record the golden rows of a new part; return whether that went well."""
    # A subprocess: this one found its parts before the new file was there.
    from engine.cli.scaffold import ROOT

    words = [sys.executable, "-m", "tests.golden.rows", name]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    again = f"python -m tests.golden.rows {name}"
    if done.returncode == 0:
        print_status(
            f"added its golden rows to {GOLDEN_ROWS}; after a change, record them "
            f"again: {again}"
        )
    else:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        print_error(
            f"its golden rows could not be recorded: {last}; once it runs: {again}"
        )
        return False
    return True
