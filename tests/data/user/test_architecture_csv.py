"""The user's table of architectures is read, or refused in one sentence."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract.errors import Refused
from engine.data.sources.architecture_table import ArchitectureTable
from engine.data.user import architecture_csv as tables
from engine.data.user.architecture_csv import read_architectures
from engine.data.user.architecture_rows import AccuracyUnit, guess_unit
from tests.data.user.csv_files import sheet

SMALL = b"""\
dataset,op:width,op:skip,epochs,validation,test,cost,parameters
a,16,no,1,0.5,,2,160
a,16,no,9,0.6,0.58,20,160
a,4,yes,1,0.4,,1,40
a,4,yes,9,,,10,40
b,4,yes,9,0.3,0.31,11,41
b,4,yes,1,0.2,,3,41
b,16,no,1,0.1,,4,161
b,16,no,9,0.9,0.88,30,161
"""


def test_every_cell_is_where_it_belongs() -> None:
    table = read_architectures(SMALL)
    assert table.positions == ("width", "skip") and table.tasks == ("a", "b")
    assert table.options == (("4", "16"), ("no", "yes"))  # numbers by size
    assert table.codes.tolist() == [[1, 0], [0, 1]]
    assert table.fidelities == (1.0, 9.0)
    assert table.rows.tolist() == [-1, 1, 0, -1]  # holes are no architectures
    np.testing.assert_allclose(table.signal[0, :, :, 0], [[0.5, 0.6], [0.1, 0.9]])
    np.testing.assert_allclose(table.signal[1, :, :, 0], [[0.4, np.nan], [0.2, 0.3]])
    np.testing.assert_allclose(table.score, [[0.58, 0.88], [np.nan, 0.31]])
    np.testing.assert_allclose(table.cost[:, 1], [[4, 30], [3, 11]])
    assert table.properties["parameters"].tolist() == [[160, 161], [40, 41]]


def test_what_is_optional_has_its_default() -> None:
    lines = SMALL.decode().splitlines()
    plain = [",".join(line.split(",")[:5]) for line in lines]
    table = read_architectures("\n".join(plain).encode())
    np.testing.assert_allclose(table.score, [[0.6, 0.9], [np.nan, 0.3]])
    np.testing.assert_allclose(table.cost[0, 0], [1 / 9, 1])
    assert table.properties == {}


def test_the_order_of_lines_changes_no_number_of_an_architecture() -> None:
    first, *lines = SMALL.splitlines(keepends=True)
    one, two = (
        read_architectures(b"".join([first, *some])) for some in (lines, lines[::-1])
    )
    for dataset in ("a", "b"):
        at, then = one.tasks.index(dataset), two.tasks.index(dataset)
        signals = (t.signal[t.rows[[1, 2]]] for t in (one, two))
        mine, other = signals
        np.testing.assert_array_equal(mine[:, at], other[:, then])


def test_percent_and_shares_are_the_same_table() -> None:
    def times(line: str) -> str:
        cells = line.split(",")
        for place in (4, 5):
            cells[place] = f"{float(cells[place]) * 100:g}" if cells[place] else ""
        return ",".join(cells)

    first, *lines = SMALL.decode().splitlines()
    percent = "\n".join([first, *map(times, lines)]).encode()
    assert (guess_unit(percent), guess_unit(SMALL)) == ("percent", "share")
    one, two = read_architectures(SMALL), read_architectures(percent, "percent")
    np.testing.assert_allclose(one.signal, two.signal, rtol=1e-6)
    np.testing.assert_allclose(one.score, two.score, rtol=1e-6)


def changed(old: str, new: str) -> bytes:
    assert old in SMALL.decode()
    return SMALL.decode().replace(old, new).encode()


REFUSED = {
    "no dataset": (changed("dataset", "set"), "no column 'dataset'; it has: set, op:w"),
    "no validation": (changed("validation", "val"), "no column 'validation'"),
    "no decision": (
        changed("op:width,op:skip", "width,skip"),
        "no decision column, such as 'op:width'; it has: dataset, width",
    ),
    "a decision without a name": (changed("op:skip", "op:"), "'op:' lacks the name"),
    "a decision twice": (changed("op:skip", "op: width"), "for the same decision 'wid"),
    "NaN": (
        changed("9,0.6,", "9,nan,"),
        "line 3: 'validation' has 'nan', which is not a finite number; leave the "
        "cell of a failed training empty",
    ),
    "inf": (changed("9,0.6,", "9,1e999,"), "line 3: 'validation' has '1e999'"),
    "text as accuracy": (changed("0.58", "good"), "line 3: 'test' has 'good'"),
    "text as property": (
        changed("20,160", "20,many"),
        "line 3: 'parameters' has 'many', which is not a finite number; properties are",
    ),
    "too large for a float32": (
        changed("20,160", "20,1e39"),
        "line 3: 'parameters' has '1e39', which is not a finite number",
    ),
    "above 1": (
        changed("9,0.6,", "9,60,"),
        "line 3: 'validation' has 60; accuracies given as share are from 0 to 1; are",
    ),
    "below 0": (changed("9,0.6,", "9,-0.6,"), "line 3: 'validation' has -0.6"),
    "duplicated": (
        SMALL + b"a,4,yes,9,0.5,0.5,1,1\n",
        "lines 5 and 10 are both architecture width=4, skip=yes on 'a' at 9 epochs",
    ),
    "one architecture": (
        b"dataset,op:w,validation\na,1,0.5\nb,1,0.6\n",
        "one architecture; a search needs at least two",
    ),
    "different length": (
        b"dataset,op:w,validation\na,1,0.5\na,2,0.5\nb,1,0.6\n",
        "data set 'b' has 1 of 2 architectures; each must have all; one that "
        "is missing: architecture w=2",
    ),
    "other architectures": (
        b"dataset,op:w,validation\na,1,0.5\na,2,0.5\nb,1,0.6\nb,3,0.6\n",
        "data set 'a' has 2 of 3 architectures; .* missing: architecture w=3",
    ),
    "a gap in a curve": (
        changed("b,4,yes,1,0.2,,3,41\n", ""),
        "width=4, skip=yes on 'b' has no line at 1 epochs",
    ),
    "no epochs in a cell": (changed("no,9,0.6", "no,,0.6"), "'epochs' has nothing"),
    "epochs of 0": (changed("no,9,0.6", "no,0,0.6"), "'epochs' has 0; it must be abov"),
    "no cost in a cell": (changed("0.58,20", "0.58,"), "'cost' has nothing"),
    "no option": (changed("a,16,no,9", "a,,no,9"), "line 3: 'op:width' is empty"),
    "no name of a data set": (changed("a,16,no,9", " ,16,no,9"), "'dataset' is empty"),
    "no test": (changed("0.58", ""), "line 3: 'test' is empty, but 'validation' is"),
    "test of a failed one": (
        changed("a,4,yes,9,,,", "a,4,yes,9,,0.4,"),
        "line 5: 'test' is given, but 'validation' is empty",
    ),
    "all failed": (
        b"dataset,op:w,validation\na,1,\na,2,\nb,1,0.6\nb,2,0.6\n",
        "every training on 'a' failed",
    ),
    "semicolons": (b"dataset;op:w;validation\na;1;0,5\n", "separated by semicolons"),
    "ragged": (SMALL + b"a,1\n", "line 10 has 2 cells"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_in_order_is_refused_in_one_sentence(case: str) -> None:
    data, told = REFUSED[case]
    with pytest.raises(Refused, match=told) as refusal:
        read_architectures(data)
    assert "\n" not in refusal.value.message


def test_percent_that_are_shares_are_refused() -> None:
    with pytest.raises(Refused, match="no accuracy is above 1 percent") as refusal:
        read_architectures(SMALL, "percent")
    assert refusal.value.field == "accuracy"


def test_too_many_options_and_combinations_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = [str(i) for i in range(65)]
    half = ["0.5"] * 65
    wide = sheet({"dataset": ["a"] * 65, "op:w": many, "validation": half})
    with pytest.raises(Refused, match="'op:w' has 65 options; at most 64 are read"):
        read_architectures(wide)
    ops = {f"op:{i}": many[:64] for i in range(4)}
    long = sheet({"dataset": ["a"] * 64, **ops, "validation": half[:64]})
    with pytest.raises(
        Refused, match="have 16,777,216 combinations of options; at most 1,000,000"
    ):
        read_architectures(long)
    monkeypatch.setattr(tables, "SETS", 1)
    with pytest.raises(Refused, match="'dataset' has 2 data sets; at most 1"):
        read_architectures(SMALL)


CELL = st.sampled_from(
    ["", " ", "0.5", "1", "0", "-1", "99", "nan", "1e999", "a", "b", "٣", "1e-9"]
)
NAME = st.sampled_from(
    ["dataset", "validation", "test", "epochs", "cost", "op:w", "op:", "op: w", "x"]
)


LIKELY = {"dataset": st.just("a"), "op:w": st.sampled_from("123"), "y": st.just("1")}


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw a small table, at times with a column, a line or no header of its own."""
    more = draw(st.lists(NAME, unique=True, max_size=1))
    usual = draw(st.sampled_from([["dataset", "op:w", "validation"]] * 3 + [[]]))
    names = list(dict.fromkeys([*usual, *more, "y"]))
    likely = [LIKELY.get(name, st.sampled_from(["0.5", "1", "0"])) for name in names]
    rows = st.tuples(*likely)
    least = 2 if usual else 0
    held = draw(
        st.lists(rows, min_size=least, max_size=4, unique_by=lambda row: row[:2])
    )
    odd = draw(st.lists(st.tuples(*[CELL] * len(names)), max_size=1))
    return "\n".join([",".join(names), *(",".join(row) for row in [*held, *odd])])


def test_any_table_is_read_or_refused() -> None:
    outcomes: Counter[bool] = Counter()

    @settings(max_examples=300)
    @given(texts(), st.sampled_from(["share", "percent"]))
    def check(text: str, unit: AccuracyUnit) -> None:
        table = read(text.encode(), unit)
        outcomes[table is not None] += 1
        if table is None:
            return
        assert table.count >= 2 and len(table.tasks) >= 1
        held = (table.signal >= 0) & (table.signal <= 1)
        assert (held | np.isnan(table.signal)).all()
        assert (table.cost > 0).all()
        assert table.signal.shape[:2] == table.score.shape

    check()
    assert min(outcomes[True], outcomes[False]) > 50


def read(data: bytes, unit: AccuracyUnit) -> ArchitectureTable | None:
    """Read a table, or check that the refusal is one sentence."""
    try:
        return read_architectures(data, unit)
    except Refused as refusal:
        told = refusal.message
    assert told and "\n" not in told
    return None


def test_a_file_with_one_set_in_percent_and_one_in_shares_is_refused() -> None:
    lines = ["dataset,op:width,validation", "one,4,71.2", "one,8,0.9"]
    mixed = "\n".join([*lines, "two,4,0.71", "two,8,0.73"]).encode()
    with pytest.raises(Refused, match=r"'one' is 71\.2, that of 'two' is 0\.73"):
        guess_unit(mixed)
