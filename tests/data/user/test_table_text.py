"""Bytes of any usual encoding and form become the same table, or one sentence."""

import pytest

from engine.contract.errors import Refused
from engine.data.user.cell_values import date_number
from engine.data.user.table_reader import ReadOptions, UserTable, read_table
from tests.data.user.user_tables import PLAIN, prepared, table

WRITTEN = {
    "Shift-JIS": ("cp932", "種類"),
    "windows-1250": ("cp1250", "płeć"),
    "Windows-1251": ("cp1251", "класс"),
    "GB18030": ("gb18030", "类别"),
    "EUC-KR": ("cp949", "종류"),
    "mac_roman": ("mac_roman", "größe"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_chosen_encoding_is_the_one_that_is_read(name: str) -> None:
    codec, word = WRITTEN[name]
    data = PLAIN.replace("kind", word).replace("alder", word).encode(codec)
    found = read_table(data, ReadOptions(encoding=name))
    assert found.names == ["a", "b", word]
    assert word in found.column(word).texts and found.remarks == ()
    # The stored file is UTF-8, which runs read.
    ready = prepared(data, word, ReadOptions(encoding=name))
    assert word.encode() in ready.file.data


def test_an_encoding_that_is_guessed_is_told_with_the_remedy_or_asked_about() -> None:
    polish = PLAIN.replace("kind", "płeć").encode("cp1250")
    told = read_table(polish).remarks[0]
    assert "such as 'p³eæ': where" in told and told.endswith("another encoding")
    text = PLAIN.replace("cedar", "Erlenbüsche").encode("cp1252")
    assert prepared(text).summary.endswith(", read as Windows-1252 (a guess)")
    known = prepared(text, options=ReadOptions(encoding="Windows-1252"))
    assert known.summary.endswith("3 classes")
    for codec in ("cp932", "cp1251"):
        data = PLAIN.replace("alder", "番号" if codec == "cp932" else "Ѓалиса")
        with pytest.raises(Refused, match="neither UTF-8 nor Windows-1252") as refusal:
            read_table(data.encode(codec))
        assert refusal.value.field == "encoding"
    with pytest.raises(Refused, match=r"'rot13' is no encoding that is read; .*UTF-8"):
        read_table(b"a,b\n1,2\n", ReadOptions(encoding="rot13"))
    for name in ("UTF-8", "utf_16"):
        codec = ReadOptions(encoding=name)
        assert read_table(PLAIN.encode(name), codec).rows == table(PLAIN).rows
    with pytest.raises(Refused, match="line 1 is not UTF-8"):
        read_table("Höhe,b\n1,2\n".encode("cp1252"), ReadOptions(encoding="UTF-8"))
    with pytest.raises(Refused, match="line 1 is not EUC-KR"):
        read_table(b"a,\xff\xff\n1,2\n", ReadOptions(encoding="EUC-KR"))


ARFF = """% Trees
@RELATION 'some trees'
@ATTRIBUTE a REAL
@attribute 'b, in cm' NUMERIC
@attribute kind {alder,'red birch'}

@DATA
% by hand
1,2.5,alder
?,3.5,'red birch'
"""


def test_arff_has_the_columns_rows_and_lines_of_its_text() -> None:
    found = table(ARFF)
    assert found.names == ["a", "b, in cm", "kind"]
    assert list(found.column("kind").texts) == ["alder", "red birch"]
    assert found.rows == 2 and found.column("a").marks == {"?": 1}
    with pytest.raises(Refused, match="line 10 has 2 cells"):
        table(ARFF.replace("?,3.5,", "?,"))
    with pytest.raises(Refused, match="line 9: sparse ARFF is not read"):
        table(ARFF.replace("1,2.5,alder", "{0 1, 2 alder}"))
    with pytest.raises(Refused, match="no attributes, or no line @data"):
        table(ARFF.replace("@DATA", ""))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 1:0.5 3:0.25\n-1 2:1 4:2\n1 1:3 2:4\n", "LIBSVM writes it"),
        ('{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n', "this file is JSON"),
        ('[{"a": 1, "b": 2},\n {"a": 3, "b": 4}]\n', "this file is JSON"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        table(text)


def lows(found: UserTable) -> list[float | None]:
    return [column.low for column in found.columns]


def test_minus_signs_apostrophes_and_words_of_other_languages_are_understood() -> None:
    found = table("a;b;c\n\u22121,5;87\u2019123;WAHR\n\u22120,5;1\u2019000;FALSCH\n")
    assert lows(found)[:2] == [-1.5, 1000]
    assert found.column("c").kind == "boolean"
    assert found.remarks[0].startswith("2 minus signs are not hyphens")
    dash = table("a,b\nfrom \u22121,2\n\u2212,3\n").column("a").texts
    assert list(dash) == ["from \u22121", "\u2212"]


def test_names_behind_a_mark_are_names_and_a_comment_above_names_is_none() -> None:
    rows = "".join(f"{i}.5 {i * 7 % 5} {i % 2}\n" for i in range(20))
    assert table("# a b kind\n" + rows).names == ["a", "b", "kind"]
    assert table("# measured by hand\na b kind\n" + rows).names == ["a", "b", "kind"]


@pytest.mark.parametrize(
    ("cell", "days"),
    [
        ("2-Jan-1970", 1.0),
        ("January 2, 1970", 1.0),
        ("2 Feb. 1970", 32.0),
        ("1/2/1970 12:00:00 AM", 1.0),
        ("1/2/1970 6:00 PM", 1.75),
        ("1970-01-02T06:00:00.000Z", 1.25),
        ("1970-01-02 06:00:00 +01:00", 1.25),
        ("2-Foo-1970", None),
        ("2 apples 1970", None),
    ],
)
def test_dates_of_many_forms_are_days(cell: str, days: float | None) -> None:
    found = date_number(cell, False)
    assert (None if found is None else float(found)) == days
