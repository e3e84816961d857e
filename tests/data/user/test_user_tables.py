"""Tables as people have them: what is read, what is left out, and what is said."""

from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.data.user.csv_store import store_csv
from engine.data.user.table_plan import TableChoices
from engine.data.user.table_preparation import (
    PreparedTable,
    prepare_table,
    table_remarks,
)
from engine.data.user.table_reader import ReadOptions, UserTable, read_table


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path))
    return tmp_path


def lines(*header: str, count: int = 60, row: str = "{a},{b},{kind}") -> str:
    """Write rows: a is any number, b a decimal one, kind alder, birch or cedar."""
    return "\n".join(
        [
            *header,
            *(
                row.format(
                    a=(i * 37) % 101,
                    b=f"{(i * 53) % 97 / 8:.3f}",
                    c=f"{(i * 53) % 97 / 8:.3f}".replace(".", ","),
                    kind=("alder", "birch", "cedar")[i % 3],
                    i=i,
                )
                for i in range(count)
            ),
            "",
        ]
    )


PLAIN = lines("a,b,kind")


def prepared(
    source: str | bytes,
    target: str = "kind",
    options: ReadOptions | None = None,
    **choices: object,
) -> PreparedTable:
    data = source.encode() if isinstance(source, str) else source
    return prepare_table(read_table(data, options), TableChoices(target, **choices))  # type: ignore[arg-type]


def table(source: str, **options: object) -> UserTable:
    return read_table(source.encode(), ReadOptions(**options))  # type: ignore[arg-type]


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
    with pytest.raises(Refused, match="1,001 columns; at most 1,000"):
        table(wide(1001))


def test_a_column_of_the_file_splits_the_rows_and_copies_stay_apart() -> None:
    from engine.contract.rng import Rng
    from engine.tasks.optimization._row_pools import split_table
    from engine.tasks.optimization.own_data import OwnData

    text = lines("a,b,set,kind", row="{i},{b},SET,{kind}", count=120)
    for i in range(120):
        text = text.replace("SET", "Train" if i < 80 else "test", 1)
    text += text.splitlines()[1].replace("Train", "test") + "\n"  # a copy
    found = prepared(text, split="set", keep=("a",))
    assert found.knobs == {"target": "kind", "split": "set"}
    knobs = {"digest": store_csv(found.file), **found.knobs}
    family = OwnData.model_validate(knobs)
    family = family.model_copy(update=family.fit_points())
    family.check()
    pools = split_table(family.table()).pools
    assert sorted(pools["test"].rows) == list(range(80, 120))
    assert {"train", "validation", "test"} == set(pools)
    assert not set(pools["train"].rows) & set(pools["validation"].rows)
    family.sample(Rng(0), "validation")
    with pytest.raises(Refused, match="has 'later'; its cells must be train"):
        prepared(text.replace("test", "later"), split="set")
    with pytest.raises(Refused, match="no rows for tests"):
        prepared(text.replace("test", "train"), split="set")


def test_a_column_of_the_file_is_a_shift_by_distance_or_by_order() -> None:
    from engine.contract.rng import Rng
    from engine.tasks.optimization.own_data import OwnData

    text = lines("a,b,year,kind", row="{a},{b},YEAR,{kind}", count=180)
    for i in range(180):
        text = text.replace("YEAR", ("2019", "2021", "2022")[i * 7 // 9 % 3], 1)
    found = prepared(text, shift="year")
    assert found.knobs["shift_by"] == "distance"
    knobs = {"digest": store_csv(found.file), **found.knobs}
    family = OwnData.model_validate(knobs)
    family = family.model_copy(update=family.fit_points())
    assert family.distances() == [2.0, 3.0]
    by_order = family.model_copy(update={"shift_by": "order", "train_on": "2021"})
    assert by_order.distances() == [1.0, 2.0]
    years = np.array([row.split(",")[2] for row in text.splitlines()[1:]])
    assert family.table().rows == (years == "2019").sum()
    later = family.move_away(3.0)
    assert later.table().rows == (years == "2022").sum()
    assert later.sample(Rng(0), "test").outputs == 3
    with pytest.raises(Refused, match="no group is 1 from"):
        family.move_away(1.0).check()


def test_a_small_table_gives_tasks_from_forty_rows_on() -> None:
    from engine.tasks.optimization.own_data import OwnData

    for count in (40, 47, 60):
        text = lines("a,b,kind", count=count).replace("cedar", "birch")
        found = prepared(text)
        family = OwnData(digest=store_csv(found.file), target="kind")
        family.model_copy(update=family.fit_points()).check()
