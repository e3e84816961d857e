"""Marks of missing values: those that are known, and those that the user names."""

from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.data.user.table_reader import ReadOptions
from tests.data.user.user_tables import PLAIN, prepared, table


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("mark", ["", "?", "NA", "n/a", "NaN", "null", "#N/A", "-"])
def test_marks_of_missing_values_are_asked_about_by_name(mark: str) -> None:
    text = PLAIN.replace("37,", f"{mark},", 1).replace("74,", f"{mark},", 1)
    assert table(text).column("a").kind == "number"
    with pytest.raises(Refused, match="2 of 60 rows have a missing value") as refusal:
        prepared(text)
    assert refusal.value.field == "empty"
    assert (repr(mark) if mark else "2 empty") in refusal.value.message
    assert prepared(text, empty="drop").summary.startswith("58 of 60 rows, 2 of 2")
    filled = prepared(text, empty="mean")
    assert filled.found.rows == 60 and np.isnan(filled.found.x).sum() == 2


def test_a_sentinel_is_suggested_and_is_missing_by_choice_in_one_column() -> None:
    text = PLAIN.replace("37,", "-999,", 1).replace("74,", "-999,", 1)
    assert "-999 may stand for a missing value: 2 cells" in table(text).column("a").note
    for mark in ("a=-999", "-999.0", "-999"):
        found = prepared(text, options=ReadOptions(missing=(mark,)), empty="drop")
        assert found.found.rows == 58
    other = prepared(text, options=ReadOptions(missing=("b=-999",)), empty="drop")
    assert other.found.rows == 60
    label = prepared(text, options=ReadOptions(missing=("cedar",)), empty="drop")
    assert label.found.classes == ("alder", "birch")


@pytest.mark.parametrize(
    ("marks", "listed"),
    [
        (("ERR",), "where 'ERR' stands for a missing value, add it"),
        (("inf",), "where 'inf' stands for a missing value, add it"),
        (("ERR", "-inf"), "where 'ERR' and '-inf' stand for missing values, add them"),
        (("1e999",), "where '1e999' stands"),
    ],
)
def test_few_texts_among_numbers_are_offered_as_marks(
    marks: tuple[str, ...], listed: str
) -> None:
    text = PLAIN
    for mark, number in zip(marks, ("37,", "74,"), strict=False):
        text = text.replace(number, f"{mark},", 1)
    for choices in ({}, {"target": "a", "answers": "value"}):
        with pytest.raises(Refused) as refusal:
            prepared(text, **choices)  # type: ignore[arg-type]
        assert listed in refusal.value.message
        assert refusal.value.field == "missing"
    named = prepared(text, options=ReadOptions(missing=marks), empty="drop")
    assert named.found.rows == 60 - len(marks)


def test_a_column_of_texts_with_some_numbers_is_not_said_to_have_marks() -> None:
    words = PLAIN
    for i, number in enumerate(("37,", "74,", "10,", "47,")):
        words = words.replace(f"\n{number}", f"\nword{i},", 1)
    assert table(words).column("a").odd == ()
    with pytest.raises(Refused) as refusal:
        prepared(words)
    assert refusal.value.field == "text" and "mark" not in refusal.value.message
