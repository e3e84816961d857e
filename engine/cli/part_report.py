"""Checks of one part: registration, card, golden rows and test, with remedies."""

import importlib
import inspect
import json
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from engine.catalogue import discover_parts
from engine.cli.scaffold import COPIED, ROOT, UNWRITTEN, has_tests
from engine.contract import registry
from engine.contract.cards import Card, card_of
from engine.contract.errors import Refused
from engine.contract.parts import Part
from engine.contract.registration import SLOTS
from engine.protocol import Estimator, Learner

STEPS = 10  # the horizon for which a learner's cost is shown
# Slots whose parts occur in the golden rows of other parts.
UNRECORDED = ("net", "outer")
# What the scaffolds put where a test's expected values belong.
_TO_WRITE = re.compile(r"pytest\.fail\(\s*.write by_hand")


class Line(NamedTuple):
    """One finding: what was checked, the result, whether it is right, or unchecked."""

    what: str
    message: str
    fine: bool = True
    checked: bool = True


def part_files(name: str) -> dict[Path, str]:
    """Return every file that could hold a part of this name, and its slot."""
    return {
        path: slot
        for slot, folder in SLOTS.items()
        for path in sorted((ROOT / "engine" / folder).rglob(f"{name}.py"))
    }


def report(path: Path, slot: str) -> Iterator[Line]:
    """Check one part: its file, registration, card, fields, golden rows and test.

    Args:
        path: Its file.
        slot: The slot whose folder the file is in.

    Yields:
        One line per check; none after one that makes the others impossible.
    """
    yield (line := registration_line(path, slot))
    if not line.fine:
        return
    part = registry.part(slot, path.stem)
    try:
        card = card_of(part)
    except Refused as refusal:
        yield Line("card", refusal.message, fine=False)
        return
    looks: tuple[Callable[[], Line], ...] = (
        lambda: docstring_line(card),
        lambda: knobs_line(card),
        lambda: fields_line(part, card),
        lambda: golden_line(card),
        lambda: test_line(part),
    )
    for look in looks:
        yield look()


def registration_line(path: Path, slot: str) -> Line:
    """Import the file and say whether it registers a part."""
    module_name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    try:
        module = importlib.import_module(module_name)
        registry.refuse_forgotten(module)
    except Refused as refusal:
        return Line("registered", refusal.message, fine=False)
    except Exception as error:  # a file of the user may raise anything: report it
        return Line("imported", f"{module_name}: {_cause(error, path)}", fine=False)
    found = {part.slot for part in registry.parts() if part.__module__ == module_name}
    if slot not in found:
        message = f"{module_name} registers no part; if it is a helper module, "
        return Line("registered", message + f"rename it to _{path.name}", fine=False)
    return Line("registered", f"as {slot}, in {path.relative_to(ROOT)}")


def _cause(error: Exception, path: Path) -> str:
    """Describe an error in a file, with its line."""
    # The innermost frame of this file: the user can mend nothing deeper.
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    at = error.lineno if isinstance(error, SyntaxError) else (lines or [None])[-1]
    where = f"line {at}: " if at else ""
    return f"{where}{type(error).__name__}: {str(error).splitlines()[0][:200]}"


def docstring_line(card: Card) -> Line:
    """Report which paragraphs of the docstring are missing or still a template."""
    said = {
        "Title: summary.": card.title and card.summary,
        "Source:": card.source,
        "Helps:": card.helps,
        "the equation, first in its class's docstring": card.equation,
    }
    absent = [head for head, text in said.items() if not text]
    texts = {"summary": card.summary, "Source:": card.source}
    texts |= {"Differs:": card.differs, "Helps:": card.helps}
    absent += [h for h, text in texts.items() if text.startswith(UNWRITTEN)]
    if COPIED in card.code:
        absent.append(f"what the lines after {COPIED!r} ask for; then delete them")
    if absent:
        return Line("docstring", f"write {'; '.join(absent)}", fine=False)
    differs = "" if card.differs else "; no Differs: paragraph"
    return Line("docstring", f"title, source, helps, equation{differs}")


def knobs_line(card: Card) -> Line:
    """Report which knobs lack the label, help or range that a form needs."""
    lacking = []
    for knob in card.knobs:
        number = knob.kind in ("int", "float")
        if not knob.help:
            lacking.append(f"{knob.name} has no label and help; declare it by knob(…)")
        elif number and (knob.low is None or knob.high is None):
            lacking.append(f"{knob.name} has no range; give low and high")
    if lacking:
        return Line("knobs", "; ".join(lacking), fine=False)
    return Line("knobs", ", ".join(knob.name for knob in card.knobs) or "none")


def fields_line(part: type[Part], card: Card) -> Line:
    """Report the class's fields; the required ones were checked at registration."""
    facts = [f"solves {', '.join(card.solves)}", f"version {card.version}"]
    try:
        made = part()
        if isinstance(made, Learner):
            facts.append(f"trains: {'yes' if made.trains else 'no'}")
            facts.append(
                f"cost: {made.gradients_per_test(STEPS):g} gradients per test of "
                f"{STEPS} steps"
            )
        if isinstance(made, Estimator):
            facts.append(f"cost: {made.cost(STEPS):g} evaluations per task")
            if not _trained_by(part.name):
                raise Refused("no learner lists it in `estimators`; add it to one")
    except Exception as error:  # such as a default outside its own range
        cause = " ".join(str(error).split())[:200]
        if not isinstance(error, Refused):
            cause = f"cannot be created with its defaults: {cause}"
        return Line("fields", cause, fine=False)
    return Line("fields", "; ".join(facts))


def _trained_by(estimator: str) -> list[str]:
    """Return the learners that an estimator can train."""
    discover_parts()
    learners = (part for part in registry.parts("learner") if issubclass(part, Learner))
    return [part.name for part in learners if estimator in part.estimators]


def golden_line(card: Card) -> Line:
    """Report whether its golden rows are recorded, and for this version."""
    if card.slot in UNRECORDED:
        return Line("golden rows", "none of its own; those of other parts cover it")
    if not has_tests():
        message = "not checked: the tests are not installed"
        return Line("golden rows", message, checked=False)
    text = (ROOT / "tests" / "golden" / "rows.json").read_text("utf-8")
    rows = json.loads(text)["rows"]
    named = f"{card.slot}/{card.name}"
    found = [row for name, row in rows.items() if f"{name}/".startswith(f"{named}/")]
    remedy = f"python -m tests.golden.rows {card.name}"
    # Without its data file a part can compute no rows to record.
    if not found and (card.missing or card.traits.get("needs_file")):
        return Line("golden rows", "none; they need a data file that is missing")
    if not found:
        return Line("golden rows", f"none; record them: {remedy}", fine=False)
    if old := [row[0] for row in found if row[0] != card.version]:
        message = f"of version {old[0]}, but the part has {card.version}; {remedy}"
        return Line("golden rows", message, fine=False)
    # The rows exist; whether their numbers still hold, only a run can tell.
    message = f"recorded for version {card.version}; the laws compare the numbers"
    return Line("golden rows", message)


def test_line(part: type[Part]) -> Line:
    """Report whether any test besides the laws mentions the part, and is written."""
    if not has_tests():
        message = "not checked: the tests are not installed"
        return Line("own test", message, checked=False)
    # The bare name may be a common word, so it counts only between quotation marks.
    word = re.compile(rf"\b{part.__name__}\b|[\"']{part.name}[\"']")
    own = sorted((ROOT / "tests").rglob(f"test_{part.name}.py"))
    for path in own:
        if _TO_WRITE.search(path.read_text("utf-8")):
            message = f"replace pytest.fail(…) in {path.relative_to(ROOT)}"
            return Line("own test", f"{message} by the expected values", fine=False)
    for path in [*own, *sorted((ROOT / "tests").rglob("test_*.py"))]:
        laws = path.is_relative_to(ROOT / "tests" / "laws")
        if not laws and word.search(path.read_text("utf-8")):
            return Line("own test", str(path.relative_to(ROOT)))
    home = ROOT / "tests" / Path(inspect.getfile(part)).relative_to(ROOT / "engine")
    place = home.with_name(f"test_{part.name}.py").relative_to(ROOT)
    message = f"none; test it against an independent truth in {place}"
    return Line("own test", message, fine=False)
