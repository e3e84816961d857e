import os
from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.data.sources.checksums import sha256
from engine.data.user.csv_store import (
    kept_digests,
    own_path,
    read_csv,
    read_csv_path,
    read_own_bytes,
    store_csv,
)
from engine.data.user.target_selection import TargetOptions, select_target
from engine.tasks.optimization.own_data import OwnData
from tests.data.user.csv_files import column, sheet


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path))
    return tmp_path


REFUSED = {
    "empty": (b"", "this file is empty"),
    "only a line end": (b"\n", "one column"),
    "header only": (b"a,b\n", "no rows"),
    "one column": (b"a\n1\n", "one column"),
    "no header": (b"1,2\n3,4\n", "only numbers; it must name the columns"),
    "trailing comma": (b"a,b\n1,2,\n3,4,\n", "line 2 has 3 cells.*ends with a comma"),
    "long row": (
        b"a,b\n1,2\n3,4,5\n",
        "line 3 has 3 cells, but the first line names 2",
    ),
    "short row": (b"a,b,c\n1,2,3\n\n4,5\n", "line 4 has 2 cells"),
    "same name twice": (b"a,b,a\n1,2,3\n", "columns 1 and 3 are both called 'a'"),
    "same after cleaning": (
        "a,a\u200b\n1,2\n".encode(),
        "columns 1 and 2 are both called 'a'",
    ),
    "no name": (b"a,,c\n1,2,3\n", "column 2 has no name"),
    "semicolons": (b"a;b\n1,5;2,5\n", "separated by semicolons"),
    "tabs": (b"a\tb\n1\t2\n", "separated by tabs"),
    "cut UTF-16": ("a,b\n1,2\n".encode("utf-16")[:-1], "UTF-16"),
    "Latin-1": ("a,b\n1,2\né,3\n".encode("latin-1"), "line 3 is not UTF-8"),
    "unclosed quote": (b'a,b\n1,2\n"3,4\n5,6\n', "line 3: a quoted cell"),
    "unclosed quote, long": (b'a,b\n"' + b"1,2\n" * 50_000, "line 2: a cell is longer"),
    "stray quote": (b'a,b\n"1"2,3\n', "line 2 is not CSV"),
    "NUL": (b"a,b\n1,2\n\x003,4\n", "line 3 has a NUL"),
    "inf": (b"a,b\n1,2\n-inf,3\n", "column 'a': line 3 has '-inf'"),
    "Infinity": (b"a,b\n1,Infinity\n", "column 'b': line 2 has 'Infinity'"),
    "1e400": (b"a,b\n1,2\n3,1e400\n", "column 'b': line 3 has '1e400'"),
    "PNG": (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    "ZIP": (b"PK\x03\x04rest", "a ZIP archive or an Excel workbook"),
    "gzip": (b"\x1f\x8b\x08rest", "a gzip archive"),
    "pickle": (b"\x80\x04\x95\x00", "pickle, which is never read"),
    "Parquet": (b"PAR1\x15\x00", "a Parquet file"),
    "numpy": (b"\x93NUMPY\x01\x00", "a numpy file"),
    "many columns": (
        (",".join(f"c{i}" for i in range(1001)) + "\n").encode(),
        "1,001 columns; at most 1,000",
    ),
    "too many rows": (b"a,b\n" + b"1,2\n" * 200_001, "more than 200,000 rows"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_trusted_is_refused_in_one_sentence(case: str) -> None:
    data, words = REFUSED[case]
    with pytest.raises(Refused, match=words) as refusal:
        read_csv(data)
    assert len(refusal.value.message) < 200
    assert "\n" not in refusal.value.message
    assert kept_digests() == []


def test_a_file_larger_than_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(Refused, match="has 30 bytes; at most 20 are read"):
        read_csv(b"a,b\n" + b"1" * 26, limit=20)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_change_nothing(ends: str, mark: str) -> None:
    text = mark + ends.join(["a,b", '"x, y",1', '"two ""words""",2.5']) + ends
    table = read_csv(text.encode())
    assert table.preview() == [["x, y", "1"], ['two "words"', "2.5"]]
    assert [c.kind for c in table.columns] == ["text", "number"]


def test_a_header_that_begins_like_another_file_is_a_header() -> None:
    assert read_csv(b"PAR1,BZh\n1,2\n").column("PAR1").kind == "number"


def test_a_column_of_numbers_is_distinguished_from_all_that_looks_like_one() -> None:
    cells = {
        "plain": ("1", "-2.5", "+.5e-3"),
        "blanks": (" 1", "2 ", ""),
        "grouped": ("1,234", "5", "6"),
        "underscores": ("1_000", "2", "3"),
        "words": ("1", "nan", "3"),
        "arabic": ("٣", "1", "2"),
        "dates": ("2024-01-31", "2024-02-01", ""),
        "empty": ("", " ", ""),
    }
    table = read_csv(sheet(cells))
    kinds = {c.name: c.kind for c in table.columns}
    assert kinds["plain"] == kinds["blanks"] == "number"
    assert {kinds[n] for n in ("grouped", "underscores", "words", "arabic")} == {"text"}
    assert table.column("blanks").empty == 1
    assert table.column("plain").low == -2.5
    assert "thousands separators, such as '1,234'" in table.column("grouped").note
    assert "dates" in table.column("dates").note
    assert "line 3 has 'nan'" in table.column("words").note
    assert kinds["empty"] == "empty"


def test_warnings_count_copies_and_empty_cells() -> None:
    table = read_csv(sheet({"a": ("1", "1", "", "4"), "b": ("x", "x", "y", "")}))
    told = " ".join(table.warnings)
    assert "1 rows are duplicates" in told
    assert "empty cells: a 1, b 1" in told


@pytest.mark.parametrize("rows", [1999, 2000, 2001, 4500])
def test_pieces_of_a_long_file_make_one_table(rows: int) -> None:
    values = tuple(str(i) for i in range(rows))
    table = read_csv(sheet({"a": values, "b": values[::-1]}))
    assert table.rows == rows
    assert (table.column("a").low, table.column("a").high) == (0.0, rows - 1.0)
    found = select_target(table, TargetOptions("b", "value"))
    np.testing.assert_array_equal(found.x[:, 0], np.arange(rows))
    np.testing.assert_array_equal(found.y, np.arange(rows)[::-1])


def test_labels_are_texts_whatever_they_look_like() -> None:
    labels = ("NA", "None", "01", "1", "1.0", " 1", "nan", "True") * 6
    table = read_csv(sheet({"a": column(48), "label": labels}))
    found = select_target(table, TargetOptions("label"))
    assert set(found.classes) == set(labels)
    assert [found.classes[i] for i in found.y] == list(labels)


CHOICES = {
    "no such column": (TargetOptions("c"), "no column 'c'; it has: a, text, label"),
    "text is a feature": (TargetOptions("label"), r"not numbers: text \(holds text\)"),
    "a value of text": (TargetOptions("text", "value"), "choose a column of numbers"),
    "one class": (TargetOptions("one", text="drop"), "only one class of"),
    "a class of one": (TargetOptions("rare", text="drop"), "such as 'z' with 1"),
    "too many classes": (
        TargetOptions("a", text="drop"),
        "has 120 classes; at most 100",
    ),
    "one value": (
        TargetOptions("same", "value", text="drop"),
        "every value .* is the same",
    ),
    "empty cells": (
        TargetOptions("gaps", text="drop"),
        "1 of 120 rows has an empty cell",
    ),
}


def odd_table() -> bytes:
    return sheet(
        {
            "a": column(120),
            "text": tuple(f"word {i}" for i in range(120)),
            "label": ("x", "y") * 60,
            "one": ("x",) * 120,
            "rare": ("x", "y") * 59 + ("z", "x"),
            "same": ("7",) * 120,
            "gaps": ("x", "y") * 59 + ("", "x"),
        }
    )


@pytest.mark.parametrize("case", CHOICES)
def test_an_unfit_choice_is_refused_with_those_that_fit(case: str) -> None:
    choices, words = CHOICES[case]
    with pytest.raises(Refused, match=words) as refusal:
        select_target(read_csv(odd_table()), choices)
    assert refusal.value.field in OwnData.model_fields


def test_only_the_chosen_rows_and_columns_are_dropped() -> None:
    table = read_csv(odd_table())
    rare = select_target(table, TargetOptions("rare", text="drop", rare="drop"))
    assert rare.rows == 119
    assert rare.classes == ("x", "y")
    gaps = select_target(table, TargetOptions("gaps", text="drop", empty="drop"))
    assert gaps.rows == 119


def test_an_empty_cell_is_the_mean_of_the_training_rows_where_that_was_chosen() -> None:
    values = ("", *column(119))
    table = read_csv(sheet({"a": values, "label": ("x", "y") * 60}))
    found = select_target(table, TargetOptions("label", empty="mean"))
    assert np.isnan(found.x[0, 0])
    digest = store_csv(table)
    family = OwnData(
        digest=digest, target="label", empty="mean", examples=30, held_out=6
    )
    for seed in range(20):
        sample = family.sample(Rng(seed), "train")
        assert np.isfinite(sample.x).all()
        assert abs(float(sample.x.mean())) < 1e-5


def test_a_file_is_stored_unchanged_under_its_sha256_and_once(home: Path) -> None:
    data = sheet({"a": ("1", "2"), "b": ("x", "y")})
    table = read_csv(data)
    assert store_csv(table) == store_csv(table) == table.digest == sha256(data)
    assert os.listdir(home / "own") == [f"{table.digest}.csv"]
    assert read_own_bytes(table.digest) == data
    assert kept_digests() == [table.digest]


def test_a_kept_file_that_was_changed_is_not_used() -> None:
    digest = store_csv(read_csv(b"a,b\n1,2\n"))
    own_path(digest).write_bytes(b"a,b\n1,3\n")
    with pytest.raises(Refused, match="is damaged; add it again"):
        read_own_bytes(digest)
    assert store_csv(read_csv(b"a,b\n1,2\n")) == digest
    assert read_own_bytes(digest) == b"a,b\n1,2\n"


@pytest.mark.parametrize(
    ("digest", "words"),
    [
        ("", "choose a file of your own"),
        ("../../etc/passwd", "64 hex digits"),
        ("A" * 64, "64 hex digits"),
        ("a" * 64, f"needs the file with sha256 {'a' * 64}"),
    ],
)
def test_a_run_without_its_file_says_which_one_it_needs(
    digest: str, words: str
) -> None:
    with pytest.raises(Refused, match=words) as refusal:
        OwnData(digest=digest, target="b").check()
    assert refusal.value.field == "digest"


def test_a_path_is_read_and_nothing_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(b"a,b\n1,2\n")
    assert read_csv_path(path).digest == sha256(b"a,b\n1,2\n")
    assert kept_digests() == []
    with pytest.raises(Refused, match=r"mine\.csv has 8 bytes; at most 4"):
        read_csv_path(path, limit=4)
    for gone in (tmp_path / "no.csv", tmp_path):
        with pytest.raises(Refused, match="cannot be read"):
            read_csv_path(gone)


@pytest.mark.skipif(os.name == "nt", reason="folders are not write-protected so")
def test_an_unwritable_home_is_refused(home: Path) -> None:
    (home / "own").write_text("a file where the folder should be")
    with pytest.raises(Refused, match="cannot be stored"):
        store_csv(read_csv(b"a,b\n1,2\n"))


def test_own_data_becomes_tasks_of_its_three_pools() -> None:
    draw = np.random.default_rng(0)
    y = np.arange(300) % 3
    x = draw.standard_normal(300) + y
    cells = {
        "x": tuple(f"{v:.6f}" for v in x),
        "far": tuple(f"{v * 1e30:.3e}" for v in draw.standard_normal(300)),
        "near": tuple(f"{v * 1e-30:.3e}" for v in draw.standard_normal(300)),
        "same": ("5",) * 300,
        "species": tuple("abc"[i] for i in y),
    }
    digest = store_csv(read_csv(sheet(cells)))
    family = OwnData(digest=digest, target="species")
    family.check()
    assert family.answer_kind() == "classes"
    for pool in ("train", "validation", "test"):
        sample = family.sample(Rng(1), pool)
        assert sample.outputs == 3
        assert sample.x.shape == (4, 48)
        np.testing.assert_allclose(sample.x[:3].var(1), 1.0, atol=1e-3)
        assert (sample.x[3] == 0).all()
