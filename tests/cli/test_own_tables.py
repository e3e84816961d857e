"""The command that takes an own table: remedies are named as its options."""

import shutil
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
        "(--missing='no value'; else --one-hot, --ordinal, --date, --ignore or --drop)"
        in asked
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


def test_a_file_of_another_kind_is_answered_with_the_command_for_it(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "photos" / "cats").mkdir(parents=True)
    (home / "photos" / "cats" / "1.JPG").write_bytes(b"x")
    shutil.make_archive(str(home / "my photos"), "zip", home / "photos")
    (home / "empty").mkdir()
    for name in ("photos", "my photos.zip", "photos/cats/1.JPG"):
        assert __main__.main(["data", "own", str(home / name)]) == 2
        asked = " ".join(capsys.readouterr().err.split())
        assert "holds images, not a table: add it with `data own-images " in asked
    assert __main__.main(["data", "own", str(home / "empty")]) == 2
    assert "empty is a folder; name one table" in capsys.readouterr().err


def test_a_guessed_encoding_is_told_beside_what_is_kept(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "own.csv").write_bytes(PLAIN.replace("cedar", "Bäume").encode("cp1252"))
    __main__.main(["data", "own", str(home / "own.csv"), "--target", "kind"])
    asked = " ".join(capsys.readouterr().err.split())
    assert "such as 'Bäume': where letters are wrong" in asked
    assert "3 classes, read as Windows-1252 (a guess) (--encoding)" in asked
