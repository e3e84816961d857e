"""Whatever the bytes are, only a refusal escapes; what is read is what was there."""

import csv
import io
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract.errors import Refused
from engine.data.user.columns import parse_number
from engine.data.user.csv_store import CsvFile, read_csv
from engine.data.user.table_plan import TableChoices
from engine.data.user.table_preparation import prepare_table
from engine.data.user.table_reader import ReadOptions, read_table
from engine.data.user.target_selection import TargetOptions, select_target
from tests.data.user.csv_files import sheet

ODD_CELLS = (
    "",
    " ",
    "1",
    "01",
    "1.5",
    "-2e3",
    "NA",
    "None",
    "nan",
    "inf",
    "1e400",
    "1,234",
    "a",
    'say "hi"',
    "2024-01-31",
    "=1+1",
    "\t",
    "1_0",
    "\u0663",
)
ODD_BYTES = (
    b",",
    b"\n",
    b"\r\n",
    b'"',
    b"a",
    b"1",
    b".",
    b";",
    b"\xff",
    b"\x00",
    b"e",
    b"-",
    b" ",
    b"\xef\xbb\xbf",
    b"\xc3\xa9",
    b"label",
    b"\x80\x04",
    b"inf",
    b"NA",
)
CELLS = st.one_of(
    st.sampled_from(ODD_CELLS),
    st.floats(allow_nan=False, allow_infinity=False).map(str),
    st.text(max_size=6),
)
PIECES = st.sampled_from(ODD_BYTES)
ANSWERS = st.sampled_from(["classes", "value"])
PLAIN = set("0123456789.+-eE ")
DIGITS = st.text("0123456789", max_size=3)
SIGNS = st.sampled_from(["", "+", "-"])
FORMS = st.tuples(SIGNS, DIGITS, st.sampled_from(["", "."]), DIGITS)
ENDS = st.one_of(st.just(""), st.tuples(st.sampled_from("eE"), SIGNS, DIGITS))
WRITTEN = st.tuples(FORMS, ENDS, st.sampled_from(["", " ", "  "])).map(
    lambda parts: "".join(map("".join, parts))
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Draw a small file with two columns of numbers, some bytes of it changed."""
    cells = draw(st.lists(st.integers(0, 99), min_size=1, max_size=6))
    data = b"a,b\n" + b"".join(b"%d,%d\n" % (cell, -cell) for cell in cells)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(PIECES) + data[at + draw(st.integers(0, 1)) :]
    return data


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[str]]:
    """Draw three columns: two of numbers, a label, and at times an odd cell."""
    count = draw(st.integers(4, 12))
    number = st.floats(-1e6, 1e6, allow_nan=False).map(str)
    columns = {
        name: draw(st.lists(number, min_size=count, max_size=count)) for name in "ab"
    }
    label = st.sampled_from(["yes", "no"])
    columns["c"] = draw(st.lists(label, min_size=count, max_size=count))
    for _ in range(draw(st.integers(0, 2))):
        name, row = draw(st.sampled_from("abc")), draw(st.integers(0, count - 1))
        columns[name][row] = draw(CELLS)
    return columns


@st.composite
def number_tables(draw: st.DrawFn) -> dict[str, list[str]]:
    """Draw three columns of numbers, at times with an odd cell."""
    columns = draw(tables())
    number = st.floats(-1e6, 1e6, allow_nan=False).map(str)
    count = len(columns["c"])
    columns["c"] = draw(st.lists(number, min_size=count, max_size=count))
    return columns


def read(data: bytes) -> CsvFile | None:
    try:
        return read_csv(data)
    except Refused as refusal:
        one_sentence = bool(refusal.message) and "\n" not in refusal.message
    assert one_sentence
    return None


def test_any_bytes_are_read_or_refused() -> None:
    outcomes: Counter[bool] = Counter()

    @settings(max_examples=300)
    @given(st.one_of(files(), files(), st.binary(max_size=200)))
    def check(data: bytes) -> None:
        table = read(data)
        assert table is None or len(table.columns) >= 2
        outcomes[table is not None] += 1

    check()
    assert min(outcomes[True], outcomes[False]) > 50


def test_any_table_and_choice_is_taken_or_refused() -> None:
    outcomes: Counter[str] = Counter()

    @settings(max_examples=300)
    @given(
        tables(),
        st.sampled_from([("c", "classes"), ("a", "value"), ("b", "classes")]),
        st.sampled_from(["refuse", "drop", "drop"]),
        st.sampled_from(["refuse", "drop", "mean"]),
    )
    def check(
        columns: dict[str, list[str]], asked: tuple[str, str], text: str, empty: str
    ) -> None:
        target, answers = asked
        data = sheet({name: cells * 7 for name, cells in columns.items()})
        table = read(data)
        if table is None:
            outcomes["no table"] += 1
            return
        # The csv module of the standard library is the independent reader.
        lines = csv.reader(io.StringIO(data.decode(), newline=""))
        plain = [row for row in lines if row]
        assert table.preview(99) == plain[1:100]
        try:
            found = select_target(
                table, TargetOptions(target, answers, text, empty, "drop")
            )
        except Refused:
            outcomes["no choice"] += 1
            return
        outcomes[answers] += 1
        assert found.rows > 0
        assert not np.isinf(found.x).any()
        assert empty == "mean" or np.isfinite(found.x).all()
        known = {row["abc".index(target)] for row in plain}
        assert answers == "value" or set(found.classes) <= known

    check()
    assert outcomes["no choice"]
    assert min(outcomes["classes"], outcomes["value"]) > 20


def test_any_table_is_prepared_or_refused_and_a_prepared_one_is_plain() -> None:
    outcomes: Counter[str] = Counter()

    @settings(max_examples=150)
    @given(
        st.one_of(
            st.tuples(tables().map(sheet), st.just("classes")),
            st.tuples(number_tables().map(sheet), st.just("value")),
            st.tuples(st.one_of(files(), st.binary(max_size=120)), ANSWERS),
        ),
        st.sampled_from([(), ("all",)]),
        st.sampled_from(["drop", "mean"]),
        st.booleans(),
    )
    def check(
        drawn: tuple[bytes, str], coded: tuple[str, ...], empty: str, join: bool
    ) -> None:
        data, answers = drawn
        repeated = data + b"".join(data.partition(b"\n")[2:]) * 6
        rest = TableChoices("", answers, text="drop", empty=empty, rare="drop")
        try:
            table = read_table(repeated)
            own = replace(rest, target=table.names[-1], one_hot=coded, join=join)
            ready = prepare_table(table, own)
        except Refused as refusal:
            outcomes["refused"] += bool(refusal.message)
            outcomes["lines"] += "\n" in refusal.message
            return
        outcomes[answers] += 1
        assert not np.isinf(ready.found.x).any()
        assert ready.found.rows <= table.rows
        names = tuple(column.name for column in ready.file.columns)
        plain = read_table(ready.file.data, ReadOptions("names", all_rows=True))
        again = prepare_table(plain, replace(rest, target=own.target, keep=names))
        np.testing.assert_array_equal(again.found.x, ready.found.x)

    check()
    assert not outcomes["lines"]
    assert min(outcomes["refused"], outcomes["classes"], outcomes["value"]) > 20


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives_being_written(value: float) -> None:
    assert parse_number(repr(value)) == value


def test_only_plain_decimal_numbers_are_numbers() -> None:
    outcomes: Counter[bool] = Counter()

    @settings(max_examples=400)
    @given(st.one_of(WRITTEN, WRITTEN, CELLS, st.text("0123.,eE+-_ naif", max_size=6)))
    def check(cell: str) -> None:
        try:
            told = float(cell) if set(cell) <= PLAIN else None
        except ValueError:
            told = None
        assert parse_number(cell) == told
        outcomes[told is not None] += 1

    check()
    assert min(outcomes[True], outcomes[False]) > 100


@pytest.mark.parametrize("kind", ["number", "text"])
def test_a_quick_count_and_a_slow_one_agree(kind: str) -> None:
    cells = [f"{i}.5" for i in range(50)] + (["x"] if kind == "text" else [""])
    slow = read_csv(sheet({"a": cells, "b": cells})).column("a")
    quick = read_csv(sheet({"a": cells[:50], "b": cells[:50]})).column("a")
    assert slow.kind == kind
    assert quick.kind == "number"
    if kind == "number":
        assert (slow.low, slow.high) == (quick.low, quick.high)
        assert (slow.empty, quick.empty) == (1, 0)
