"""Whatever the bytes are, only a refusal escapes; what is read is what was there."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract.errors import Refused
from engine.data.cells import number
from engine.data.choosing import Choices, choose
from engine.data.own import OwnTable, read_own
from tests.data.sheets import sheet

ODD_CELLS = (
    *("", " ", "1", "01", "1.5", "-2e3", "NA", "None", "nan", "inf", "1e400", "1,234"),
    *("a", 'say "hi"', "2024-01-31", "=1+1", "\t", "1_0", "\u0663"),
)
ODD_BYTES = (
    *(b",", b"\n", b"\r\n", b'"', b"a", b"1", b".", b";", b"\xff", b"\x00", b"e", b"-"),
    *(b" ", b"\xef\xbb\xbf", b"\xc3\xa9", b"label", b"\x80\x04", b"inf", b"NA"),
)
CELLS = st.one_of(
    st.sampled_from(ODD_CELLS),
    st.floats(allow_nan=False, allow_infinity=False).map(str),
    st.text(max_size=6),
)
PIECES = st.sampled_from(ODD_BYTES)


def read(data: bytes) -> OwnTable | None:
    try:
        return read_own(data)
    except Refused as refusal:
        one_sentence = bool(refusal.message) and "\n" not in refusal.message
    assert one_sentence
    return None


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=200), st.lists(PIECES).map(b"".join)))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    table = read(data)
    assert table is None or len(table.columns) >= 2


@settings(max_examples=200)
@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=12),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["classes", "value"]),
    st.sampled_from(["refuse", "drop"]),
    st.sampled_from(["refuse", "drop", "mean"]),
)
def test_any_table_and_choice_is_taken_or_refused(
    rows: list[tuple[str, str, str]], target: str, answers: str, text: str, empty: str
) -> None:
    names = ("a", "b", "c")
    data = sheet(dict(zip(names, zip(*(rows * 7), strict=True), strict=True)))
    table = read(data)
    if table is None:
        return
    # The csv module of the standard library is the independent reader.
    plain = [row for row in csv.reader(io.StringIO(data.decode(), newline="")) if row]
    assert table.preview(99) == plain[1:100]
    try:
        found = choose(table, Choices(target, answers, text, empty, "drop"))
    except Refused:
        return
    assert found.rows > 0
    assert not np.isinf(found.x).any()
    assert empty == "mean" or np.isfinite(found.x).all()
    if found.classes:
        assert set(found.classes) <= {row[names.index(target)] for row in plain}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives_being_written(value: float) -> None:
    assert number(repr(value)) == value


@given(st.text(max_size=8))
def test_only_plain_decimal_numbers_are_numbers(cell: str) -> None:
    found = number(cell)
    if found is not None:
        assert found == float(cell)
        assert set(cell) <= set("0123456789.+-eE ")


@pytest.mark.parametrize("kind", ["number", "text"])
def test_a_quick_count_and_a_slow_one_agree(kind: str) -> None:
    cells = [f"{i}.5" for i in range(50)] + (["x"] if kind == "text" else [""])
    slow = read_own(sheet({"a": cells, "b": cells})).column("a")
    quick = read_own(sheet({"a": cells[:50], "b": cells[:50]})).column("a")
    assert slow.kind == kind
    assert quick.kind == "number"
    if kind == "number":
        assert (slow.low, slow.high) == (quick.low, quick.high)
        assert (slow.empty, quick.empty) == (1, 0)
