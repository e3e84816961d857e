"""Tables as people have them: what is read, what is left out, and what is said."""

from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.data.user.table_preparation import table_remarks
from engine.data.user.table_reader import ReadOptions, read_table
from tests.data.user.user_tables import PLAIN, lines, prepared, table


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path))
    return tmp_path


LIKE_THE_PLAIN_ONE = {
    "semicolons": PLAIN.replace(",", ";"),
    "quoted names, semicolons": PLAIN.replace("a,b,kind", '"a";"b";"kind"').replace(
        ",", ";"
    ),
    "tabs": PLAIN.replace(",", "\t"),
    "bars": PLAIN.replace(",", "|"),
    "blanks": PLAIN.replace(",", "   "),
    "decimal commas": lines("a;b;kind", row="{a};{c};{kind}"),
    "quoted decimal commas": lines("a,b,kind", row='{a},"{c}",{kind}'),
    "a line that says sep": "sep=;\n" + PLAIN.replace(",", ";"),
    "title rows": "Trees of 2024\n\n" + PLAIN,
    "padded title rows": "Trees of 2024,,\n,,\n" + PLAIN,
    "comments": "# by hand\n" + PLAIN + "# end\n",
    "a header that begins with #": "# " + PLAIN,
    "blank rows": PLAIN.replace("\n", "\n,,\n", 9) + "\n,,\n\n",
    "a separator ends each row": PLAIN.replace("\n", ",\n"),
    "remarks below": PLAIN + "\nSource: the forest\n",
    "units below the names": PLAIN.replace("kind\n", "kind\ncm,kg,\n"),
    "Windows line ends and a mark": "\ufeff" + PLAIN.replace("\n", "\r\n"),
    "empty columns": PLAIN.replace("\n", ",,\n"),
}


@pytest.mark.parametrize("case", LIKE_THE_PLAIN_ONE)
def test_the_same_table_written_otherwise_has_the_same_rows(case: str) -> None:
    wanted, found = prepared(PLAIN), prepared(LIKE_THE_PLAIN_ONE[case])
    np.testing.assert_array_equal(found.found.x, wanted.found.x)
    np.testing.assert_array_equal(found.found.y, wanted.found.y)
    assert found.summary == "60 of 60 rows, 2 of 2 features, 3 classes"
    assert [c.name for c in found.file.columns] == ["a", "b", "kind"]


def test_a_plain_table_is_stored_as_it_is_and_any_other_as_one_plain_file() -> None:
    assert not prepared(PLAIN).changed
    assert prepared(PLAIN).file.data == PLAIN.encode()
    changed = prepared(PLAIN.replace(",", ";"))
    assert changed.changed
    assert changed.file.digest == prepared(PLAIN.replace(",", "\t")).file.digest
    # What was prepared is plain itself: adding it again gives the same digest.
    assert prepared(changed.file.data).file.digest == changed.file.digest


def test_encodings_of_windows_are_read_and_named() -> None:
    text = PLAIN.replace("alder", "érable")
    assert prepared(text.encode("utf-16")).found.classes[-1] == "érable"
    found = read_table(text.encode("cp1252"))
    assert "not UTF-8; it is read as Windows-1252" in found.remarks[0]
    assert "érable" in found.column("kind").texts
    with pytest.raises(Refused, match="is not UTF-8"):
        read_table(b"a,b\n1,2\n\x01\xff,3\n")


def test_a_first_line_of_data_is_asked_about() -> None:
    data = PLAIN.removeprefix("a,b,kind\n")
    with pytest.raises(Refused, match="the first line looks like data") as refusal:
        table(data)
    assert refusal.value.field == "header"
    found = prepared(data, "column 3", ReadOptions("data"))
    assert found.found.rows == 60
    assert table(data, header="names").rows == 59
    years = "country,2019,2020\n" + "".join(f"c{i},{i},{i + 1}\n" for i in range(9))
    assert table(years).names == ["country", "2019", "2020"]


def test_text_columns_become_inputs_by_choice_and_a_refusal_names_the_choices() -> None:
    words = ("small", "large", "medium", "NA")
    text = lines("a,size,day,ok,kind", row="{a},WORD,2024-01-DD,OK,{kind}")
    for i in range(60):
        text = text.replace("WORD", words[i % 4] if i < 8 else words[i % 3], 1)
        text = text.replace("DD", f"{i % 28 + 1:02}", 1)
        text = text.replace("OK", ("yes", "no")[i * 7 % 5 > 2], 1)
    with pytest.raises(Refused, match="one-hot or ordinal, dates as days") as refusal:
        prepared(text)
    assert refusal.value.field == "text"
    dropped = prepared(text, text="drop")
    assert dropped.summary.startswith("60 of 60 rows, 2 of 4 features")
    found = prepared(
        text, one_hot=("size",), dates=("all",), empty="drop", ignore=("a",)
    )
    assert found.summary == "58 of 60 rows, 3 of 4 features (5 inputs), 3 classes"
    names = [c.name for c in found.file.columns]
    assert names == ["size=large", "size=medium", "size=small", "day", "ok", "kind"]
    assert (found.found.x[:, :3].sum(1) == 1).all()
    assert found.found.x[0].tolist() == [0, 0, 1, 19723, 1]
    order = prepared(
        text,
        ordinal=("size=small<medium<large",),
        ignore=("day", "ok", "a"),
        empty="drop",
    )
    assert order.found.x[:3, 0].tolist() == [0, 2, 1]


def test_columns_that_count_rows_or_give_the_answer_away_are_left_out_and_told() -> (
    None
):
    code = {"alder": "7", "birch": "8", "cedar": "9"}
    rows = [r.split(",") for r in PLAIN.splitlines()[1:]]
    text = "\n".join(
        [
            ",a,b,code,kind",
            *(f"{i},{a},{b},{code[k]},{k}" for i, (a, b, k) in enumerate(rows)),
        ]
    )
    found = prepared(text)
    told = {plan.name: plan.describe() for plan in found.plans}
    assert told["column 1"] == "left out: it counts the rows"
    assert told["code"] == "left out: it gives 'kind' away: one value for each class"
    assert found.summary == "60 of 60 rows, 2 of 4 features, 3 classes"
    kept = prepared(text, keep=("code", "column 1"))
    assert kept.summary == "60 of 60 rows, 4 of 4 features, 3 classes"
    copy = "\n".join(["a,b,far", *(f"{a},{b},{float(b) * 3 - 1}" for a, b, _ in rows)])
    value = prepared(copy, "far", answers="value")
    assert value.plans[1].describe() == (
        "left out: it gives 'far' away: it is the same value, rescaled"
    )


def test_labels_that_look_alike_are_told_and_joined_by_choice() -> None:
    text = PLAIN.replace("alder", "Alder ", 7).replace("birch", "77.0")
    text = text.replace("77.0", "77", 7)
    apart = prepared(text)
    assert len(apart.found.classes) == 5
    data = table(text)
    told = " ".join(table_remarks(data, apart))
    assert "'Alder ' and 'alder' are counted as different classes; join them" in told
    joined = prepared(text, join=True)
    assert joined.found.classes == ("77.0", "alder", "cedar")
    assert "'alder' and 'Alder ' are one class now" in table_remarks(data, joined)


def test_a_row_of_totals_is_left_out_unless_it_is_wanted() -> None:
    text = lines("region,a,b,kind", row="north,{a},{b},{kind}") + "Total,3000,400.5,\n"
    found = table(text)
    assert found.rows == 60
    assert found.remarks == ("a row of totals is left out: line 62",)
    assert table(text, all_rows=True).rows == 61
    assert prepared(text, text="drop").found.rows == 60


def test_thousands_percent_and_money_are_numbers_and_mixed_units_are_not() -> None:
    text = (
        "big,part,price,mixed,kind\n"
        '"1,234,567",5%,$3,5%,x\n"999",6 %,$1000,6,y\n"1,000",7%,$2.5,7,x\n'
    )
    found = {c.name: c for c in table(text).columns}
    assert [found[n].kind for n in ("big", "part", "price")] == ["number"] * 3
    assert found["big"].high == 1234567 and found["part"].high == 7
    assert found["mixed"].kind == "text" and "mixes units" in found["mixed"].note
    dots = "a;b;c\n1.234;0,5;x\n2.000;1,5;y\n"
    assert table(dots).column("a").high == 2000  # as the file has decimal commas


def test_numbers_below_and_above_a_thousand_share_a_column() -> None:
    text = (
        "us;fr;ch;odd;kind\n"
        "$1,234.50;1 234,50;1'234.50;1,234.5;x\n$567.25;567,25;567.25;1.234,5;y\n"
    )
    found = {c.name: c for c in table(text).columns}
    for name in ("us", "fr", "ch"):
        assert (found[name].low, found[name].high) == (567.25, 1234.5), name
    assert found["odd"].note == "has numbers written in more than one way"


def test_a_thousand_columns_are_read_and_more_are_refused() -> None:
    def wide(count: int) -> str:
        cells = np.random.default_rng(0).integers(0, 4, (80, count))
        rows = [",".join(map(str, row)) for row in cells]
        return "\n".join([",".join(f"c{j}" for j in range(count)), *rows])

    assert prepared(wide(1000), "c3", rare="drop").found.features == 999
    with pytest.raises(Refused, match=r"1,001 columns; .*: save it with fewer"):
        table(wide(1001))
