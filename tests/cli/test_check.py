"""check reports what a part lacks, each with its remedy."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from engine import __main__
from engine.catalogue import find_card
from engine.cli import check, part_report, scaffold
from engine.contract import registry
from engine.learners.gradient.maml import Maml
from tests.conftest import is_of


def say(words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = __main__.main(["check", *words.split()])
    return code, " ".join("".join(capsys.readouterr()).split())


def test_a_whole_part_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    code, told = say("maml --no-laws", capsys)
    assert code == 0
    assert "✗" not in told
    assert "✓ registered as learner, in engine/learners/gradient/maml.py" in told
    assert "trains: yes" in told
    assert "– laws not run because of --no-laws" in told


def test_a_name_in_two_slots_is_checked_in_both(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, told = say("sgd --no-laws", capsys)
    assert code == 0
    assert "as learner, in" in told and "as outer, in" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [("mapl", "did you mean 'maml'"), ("", "give the name of one part, or --all")],
)
def test_an_unknown_part_or_slot_is_refused(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = say(words, capsys)
    assert code == 2
    assert said in told


def test_rows_of_another_version_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Maml, "version", 99)
    code, told = say("maml --no-laws", capsys)
    assert code == 1
    assert "✗ golden rows of version 1, but the part has 99" in told
    assert "python -m tests.golden.rows maml" in told


def test_a_part_without_rows_or_test_gets_the_remedy() -> None:
    card = find_card("learner", "maml").model_copy(update={"name": "my_maml"})
    line = part_report.golden_line(card)
    assert not line.fine
    assert line.message.endswith("python -m tests.golden.rows my_maml")
    unnamed = "sol" + "itary"  # put together here, or this file would name it
    part = type(unnamed.upper(), (Maml,), {"__module__": Maml.__module__})
    part.name = unnamed
    line = part_report.test_line(part)
    assert not line.fine
    assert f"tests/learners/gradient/test_{unnamed}.py" in line.message


def test_a_test_that_is_still_to_be_written_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tests" / "learners" / "test_maml.py"
    path.parent.mkdir(parents=True)
    path.write_text('"maml"; pytest.fail("write by_hand")')
    monkeypatch.setattr(part_report, "ROOT", tmp_path)
    line = part_report.test_line(Maml)
    assert not line.fine
    assert "replace pytest.fail(…) in tests/learners/test_maml.py" in line.message
    path.write_text('"maml"')
    assert part_report.test_line(Maml).fine


def test_a_docstring_and_a_knob_that_say_nothing_are_named() -> None:
    card = find_card("learner", "maml")
    line = part_report.docstring_line(card.model_copy(update={"helps": ""}))
    assert (line.fine, line.message) == (False, "write Helps:")
    knob = card.knobs[0].model_copy(update={"help": ""})
    line = part_report.knobs_line(card.model_copy(update={"knobs": (knob,)}))
    assert not line.fine
    assert "inner_lr has no label and help" in line.message
    knob = card.knobs[0].model_copy(update={"low": None})
    line = part_report.knobs_line(card.model_copy(update={"knobs": (knob,)}))
    assert not line.fine
    assert "inner_lr has no range" in line.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def broken(:\n", "line 1: SyntaxError"),
        ("x = 1\nimport nowhere_at_all\n", "line 2: ModuleNotFoundError"),
        ("x = 1\n", "registers no part; if it is a helper module"),
    ],
)
def test_a_file_that_cannot_be_a_part_gets_the_reason(
    text: str,
    said: str,
    tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert isinstance(tmp_path, type(scaffold.ROOT))
    (tmp_path / "newcomers_room").mkdir()
    path = tmp_path / "newcomers_room" / f"part_{len(text)}.py"
    path.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(part_report, "ROOT", tmp_path)
    line = part_report.registration_line(path, "shift")
    assert not line.fine
    assert said in line.message


def test_the_laws_are_run_in_another_process_and_of_this_part_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[list[str]] = []

    def run(words: list[str], **_: object) -> SimpleNamespace:
        asked.append(words)
        told = (
            "FAILED tests/laws/test_x.py::test_y[maml - 1] - AssertionError: no\n"
            "FAILED tests/laws/test_x.py::test_z[maml] - ValueError: other\n"
            "ERROR tests/golden/test_golden.py - ImportError: lost\n"
            "1 failed, 3 passed"
        )
        return SimpleNamespace(returncode=1, stdout=told, stderr="")

    monkeypatch.setattr(check.subprocess, "run", run)
    code, told = say("maml", capsys)
    assert code == 1
    assert asked[0][1:3] == ["-m", "pytest"] and asked[0][-2:] == ["--part", "maml"]
    assert (
        "✗ laws tests/laws/test_x.py: no; tests/golden/test_golden.py: "
        "ImportError: lost; reproduce with: python -m pytest" in told
    )


def test_an_installation_without_tests_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scaffold, "TESTS", scaffold.ROOT / "no tests here")
    code, told = say("maml", capsys)
    assert code == 0
    assert "– laws not run: the tests are not part of this installation" in told


@pytest.mark.parametrize(
    ("item", "of"),
    [
        ("test_x[maml]", True),
        ("test_x[learner/maml]", True),
        ("test_x[maml-mlp-layer]", True),
        ("test_x[fomaml]", False),
        ("test_x[maml_plus]", False),
        ("test_maml", False),
    ],
)
def test_a_test_is_of_the_part_that_stands_among_its_values(
    item: str, of: bool
) -> None:
    path = scaffold.ROOT / "tests" / "laws" / "test_learners.py"
    found = SimpleNamespace(name=item, path=path)
    assert is_of("maml", found) == of  # type: ignore[arg-type]


def test_the_product_imports_no_test() -> None:
    registry.parts()
    for path in (scaffold.ROOT / "engine" / "cli").glob("*.py"):
        text = path.read_text("utf-8")
        assert "import tests" not in text and "from tests" not in text
