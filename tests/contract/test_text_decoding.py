"""Text of the user is read in any Unicode encoding that its program wrote."""

import codecs
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import __main__
from engine.contract.errors import Refused
from engine.contract.parsing import parse_json, parse_spec
from engine.contract.text_decoding import as_text, as_utf8
from engine.data.user.architecture_rows import guess_unit, read_lines
from engine.data.user.csv_store import read_csv
from engine.presets import preset, spec_as_json

MARKED = {
    "UTF-8 with a mark": ("utf-8-sig", b""),
    "UTF-16 of Windows": ("utf-16-le", codecs.BOM_UTF16_LE),
    "UTF-16 of a network": ("utf-16-be", codecs.BOM_UTF16_BE),
    "UTF-32": ("utf-32-le", codecs.BOM_UTF32_LE),
    "UTF-32 of a network": ("utf-32-be", codecs.BOM_UTF32_BE),
    "unmarked UTF-16 of Windows": ("utf-16-le", b""),
    "unmarked UTF-16 of a network": ("utf-16-be", b""),
}
SPEC = {
    "family": {"name": "mixtures"},
    "learners": [{"name": "sgd", "label": "größer 学"}],
}
CSV = "a,größe\n" + "".join(f"{i},{i % 3}\n" for i in range(9))


def written(text: str, how: str) -> bytes:
    codec, mark = MARKED[how]
    return mark + text.encode(codec)


@pytest.mark.parametrize("how", MARKED)
def test_a_spec_is_the_same_in_every_encoding(how: str) -> None:
    assert parse_spec(written(json.dumps(SPEC), how)) == parse_spec(json.dumps(SPEC))
    spoken_out = json.dumps(SPEC, ensure_ascii=False, indent=2)
    assert parse_spec(written(spoken_out, how)) == parse_spec(spoken_out)


@pytest.mark.parametrize("how", MARKED)
def test_a_table_is_the_same_in_every_encoding(how: str) -> None:
    plain, found = read_csv(CSV.encode()), read_csv(written(CSV, how))
    assert found.columns == plain.columns
    assert found.rows == plain.rows == 9
    assert [column.name for column in found.columns] == ["a", "größe"]
    assert read_csv(found.data).columns == plain.columns


@pytest.mark.parametrize("how", MARKED)
def test_a_table_of_architectures_is_the_same_in_every_encoding(how: str) -> None:
    text = "dataset,op:x,validation\nd,0,50\nd,1,60\n"
    found = read_lines(written(text, how), "percent")
    assert found.lines == read_lines(text.encode(), "percent").lines
    assert guess_unit(written(text, how)) == "percent"


def test_a_table_in_utf_8_keeps_its_own_digest() -> None:
    for data in (CSV.encode(), CSV.encode("utf-8-sig")):
        assert read_csv(data).data == data


def test_a_text_that_a_page_pastes_may_have_a_mark() -> None:
    assert parse_json("\ufeff{}", 99) == {}


@pytest.mark.parametrize("how", ["UTF-8 with a mark", "UTF-16 of Windows"])
def test_a_preset_that_windows_wrote_to_a_file_is_a_spec(
    how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps(spec_as_json(preset("smoke").spec), indent=2).replace(
        "\n", "\r\n"
    )
    file = tmp_path / "mine.json"
    file.write_bytes(written(text, how))
    from engine.cli.run import read_spec

    assert read_spec(str(file)) == parse_spec(text)
    words = ["run", str(file), "--out", str(tmp_path / "o"), "--device", "tpu"]
    assert __main__.main(words) == 2
    assert "tpu" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (codecs.BOM_UTF16_LE + b"{\0}", "begins as UTF-16"),
        (codecs.BOM_UTF16_BE + b"\xd8\x00", "begins as UTF-16"),
        (codecs.BOM_UTF32_LE + b"{\0\0", "begins as UTF-32"),
        (b"{}\n\xe9", "line 2; save it as UTF-8"),
    ],
)
def test_a_damaged_text_is_one_sentence_with_the_remedy(data: bytes, word: str) -> None:
    with pytest.raises(Refused, match=word) as refusal:
        as_text(data)
    assert "save it as UTF-8" in str(refusal.value)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\ufeff\0"), min_size=1)
CERTAIN = [how for how in MARKED if not how.startswith("unmarked")]


@given(TEXTS, st.sampled_from(CERTAIN))
def test_every_text_with_a_byte_order_mark_is_read_unchanged(
    text: str, how: str
) -> None:
    assert as_text(written(text, how)) == text


@given(TEXTS)
def test_utf_8_is_unchanged(text: str) -> None:
    assert as_utf8(text.encode()) == text.encode()
