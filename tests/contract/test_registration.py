"""What is forgotten in a new part's file is said in one sentence, and never passes."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.catalogue import all_cards
from engine.contract.cards import card_of
from engine.contract.errors import Refused
from engine.contract.registration import SLOTS, class_name
from engine.contract.registry import import_modules, parts, register
from engine.protocol import Family

ROOT = Path(__file__).resolve().parents[2]
SHIFT = '''"""Push: every input is moved.

Source: ours.
Helps: tests.
"""
from typing import ClassVar
from engine.contract.registry import register
from engine.protocol import Setting, Shift

@register("shift")
class Push(Shift):
    """x ← x + s."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    severities: ClassVar[tuple[float, ...]] = (1.0,)

    def why_not(self, setting: Setting) -> str | None:
        return None

    def apply(self, setting: Setting, severity: float) -> Setting:
        return setting
'''
LEARNER = '''"""Idle: nothing is learned.

Source: ours.
Helps: tests.
"""
from typing import ClassVar
from engine.contract.registry import register
from engine.protocol import Learner, Meta, Outer, Plan

@register("learner")
class Idle(Learner):
    """θ ← θ."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = False

    def init(self, rngs, tasks):
        return Meta({}, {})

    def adapt(self, meta, tasks, *, path=False):
        yield

    def outer(self, meta, tasks, lesson, estimator):
        return Outer({}, {})

    def plan(self, budget, estimator):
        return Plan(0, 1, 1, 1.0, 1.0)
'''
VERSION = "    version: ClassVar[int] = 1\n"
FORGOTTEN = {
    "field": (
        VERSION,
        VERSION + '    unti: ClassVar[str] = "px"\n',
        "push: a shift has no field 'unti'; did you mean 'unit'",
    ),
    "own field": (
        VERSION,
        VERSION + "    zebra: ClassVar[int] = 1\n",
        "has no field 'zebra'; if it is a constant of your own, call it _zebra",
    ),
    "register": (
        '@register("shift")\n',
        "",
        'Push is not registered; write @register."shift".',
    ),
    "slot": ('@register("shift")', '@register("shfit")', "the slots are net, family"),
    "slot of another": ('@register("shift")', '@register("net")', "of slot 'shift'"),
    "base class": ("class Push(Shift)", "class Push", "Push is not a part; derive it"),
    "class name": ("class Push", "class Pushed", "must be called Push, not Pushed"),
    "version": ("    version: ClassVar[int] = 1\n", "", "version is not declared"),
    "kind": ('"few_shot"', '"fewshot"', "solves names 'fewshot'; the kinds of task"),
    "solves": ('frozenset({"few_shot"})', "frozenset()", "solves is empty"),
    "method": ("def apply", "def applied", "Push lacks apply"),
    "severities": ("(1.0,)", "()", r"severities is \(\); name some above 0"),
}


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty package of parts; what it imports and registers is undone."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("engine.contract.registry._PARTS", {})
    (tmp_path / "newcomer").mkdir()
    (tmp_path / "newcomer" / "__init__.py").touch()
    yield tmp_path / "newcomer"
    for name in set(sys.modules) - before:
        if name.startswith("newcomer"):
            del sys.modules[name]


def look(room: Path, name: str, text: str) -> None:
    """Write a part's file and look for the parts of its folder."""
    (room / f"{name}.py").write_text(text)
    import_modules(importlib.import_module("newcomer"))


def test_a_whole_part_is_found(room: Path) -> None:
    look(room, "push", SHIFT)
    look(room, "idle", LEARNER)
    assert [part.__name__ for part in parts()] == ["Idle", "Push"]
    assert card_of(parts("shift")[0]).title == "Push"


@pytest.mark.parametrize("what", FORGOTTEN)
def test_a_missing_declaration_is_refused_with_its_remedy(
    what: str, room: Path
) -> None:
    there, instead, said = FORGOTTEN[what]
    assert there in SHIFT
    with pytest.raises(Refused, match=said):
        look(room, "push", SHIFT.replace(there, instead, 1))
    assert parts() == []


def test_a_learner_with_an_outer_of_its_own_says_whether_it_trains(room: Path) -> None:
    text = LEARNER.replace("    trains: ClassVar[bool] = False\n", "")
    with pytest.raises(Refused, match="it defines outer but not trains; write `trains"):
        look(room, "idle", text)


def test_a_family_is_of_one_kind_by_its_fields_and_by_its_folder() -> None:
    stray = type("Stray", (Family,), {"__module__": "engine.tasks.search.stray"})
    assert 'write `solves: ClassVar[frozenset[str]] = frozenset({"opt' in (
        stray.why_incomplete()
    )
    stray.solves = frozenset({"optimization"})
    assert "its folder is 'search'" in stray.why_incomplete()


def test_a_helper_registers_nothing(room: Path) -> None:
    look(room, "_helper", SHIFT.replace('@register("shift")\n', ""))
    look(room, "numbers", "class Total:\n    pass\n")
    assert parts() == []


def test_two_files_of_one_name_and_slot_are_refused(room: Path) -> None:
    (room / "more").mkdir()
    (room / "more" / "__init__.py").touch()
    (room / "more" / "push.py").write_text(SHIFT)
    with pytest.raises(ValueError, match="two shifts are called 'push'"):
        look(room, "push", SHIFT)


@pytest.mark.parametrize(
    ("there", "instead", "said"),
    [
        ("Push: every", "Push, every", "first line must read 'Title: summary.'"),
        ('    """x ← x + s."""\n', "", "its class has no docstring"),
        (
            "    def why_not",
            "    size: list[int] = []\n\n    def why_not",
            "knob size has a type",
        ),
    ],
)
def test_a_card_that_cannot_be_made_says_what_is_lacking(
    there: str, instead: str, said: str, room: Path
) -> None:
    look(room, "push", SHIFT.replace(there, instead, 1))
    with pytest.raises(Refused, match=said):
        card_of(parts("shift")[0])


def test_an_unknown_slot_names_the_file_and_the_similar_slot() -> None:
    stray = type("Stray", (), {"__module__": "engine.learners.stray"})
    said = r"^engine.learners.stray: there is no slot 'lerner'; .* mean 'learner'\?$"
    with pytest.raises(Refused, match=said):
        register("lerner")(stray)  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("default", "words", "said"),
    [
        (0.5, "low=1, high=0", "duty: low 1 is above high 0; swap them"),
        (2.5, "low=0, high=1", "duty: the default 2.5 is not a number from 0 to 1; ch"),
        (0.5, "low=0, high=1, log=True", "duty: a logarithmic scale cannot begin at 0"),
        ("True", "low=0, high=1", "duty: the default True is not a number from 0 to"),
    ],
)
def test_a_knob_with_a_wrong_range_is_refused(
    default: object, words: str, said: str, room: Path
) -> None:
    look(room, "push", with_knob(f"{default}, {words}"))
    with pytest.raises(Refused, match=f"^newcomer.push: {said}"):
        card_of(parts("shift")[0])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("0.5, lo=0, high=1", "knob 'Duty' has no 'lo'; it takes label, help, low, hi"),
        ('0.5, low="0", high=1', "knob 'Duty': low must be a number, not '0'"),
        ("0.5, low=0, high=True", "knob 'Duty': high must be a number, not True"),
    ],
)
def test_a_knob_with_a_wrong_word_is_refused(words: str, said: str, room: Path) -> None:
    with pytest.raises(TypeError, match=said):
        look(room, "push", with_knob(words))


def with_knob(words: str) -> str:
    """Return the file of a shift with one knob."""
    declared = f'    duty: float = knob({words}, label="Duty", help="Time on.")\n'
    text = SHIFT.replace(
        "from typing", "from engine.contract.parts import knob\nfrom typing"
    )
    return text.replace("    def why_not", declared + "\n    def why_not")


def test_a_constant_of_a_part_may_begin_with_an_underscore(room: Path) -> None:
    look(
        room,
        "push",
        SHIFT.replace(VERSION, VERSION + "    _half: ClassVar[float] = 0.5\n"),
    )
    assert [part.__name__ for part in parts()] == ["Push"]


def test_each_slot_has_its_folder_and_every_part_is_in_it() -> None:
    cards = all_cards()
    assert {card.slot for card in cards} == SLOTS.keys()
    for found in parts():
        room = f"engine.{SLOTS[found.slot]}."
        assert found.__module__.startswith(room)
        assert found.__name__ == class_name(found.name)
    assert all((ROOT / "engine" / folder).is_dir() for folder in SLOTS.values())
