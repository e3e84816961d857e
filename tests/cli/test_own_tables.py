"""The command that takes an own table: remedies are named as its options."""

from pathlib import Path

import pytest

from engine import __main__
from tests.data.user.user_tables import PLAIN


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    return tmp_path


def told(home: Path, capsys: pytest.CaptureFixture[str], text: str, *more: str) -> str:
    (home / "own.csv").write_text(text)
    __main__.main(["data", "own", str(home / "own.csv"), *more])
    return " ".join(capsys.readouterr().err.split())


def test_a_text_among_numbers_is_answered_with_the_option_for_it(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PLAIN.replace("37,", "no value,", 1)
    asked = told(home, capsys, text, "--target", "kind")
    assert (
        "(--missing='no value'; else --one-hot, --ordinal, --date or --drop)" in asked
    )
    asked = told(home, capsys, text, "--target", "a", "--value")
    assert asked.endswith("(--missing='no value')")
    kept = told(home, capsys, text, "--target=kind", "--missing=no value", "--drop")
    assert "kept: 59 of 60 rows" in kept


def test_labels_that_look_alike_are_joined_by_the_option_that_is_named(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PLAIN.replace("alder", "Alder", 7)
    asked = told(home, capsys, text, "--target", "kind")
    assert "join them if they are one (--join-labels)" in asked
    assert "3 classes" in told(home, capsys, text, "--target=kind", "--join-labels")
