"""The way to an own table or own images: choices, refusals, and what they fill in."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import session as sessions
from engine.data.user.csv_store import kept_digests, read_own_bytes
from engine.data.user.file_records import file_record
from engine.tasks.optimization.own_data import OwnData
from tests.data.user.images import folders, packed

PLACE = "k.family.own_data"


def page() -> None:
    from app.form import own_tables
    from engine.tasks.optimization.own_data import OwnData

    own_tables.table_dialog("k.family.own_data", frozenset(OwnData.model_fields))


def images_page() -> None:
    from app.form import own_examples

    knobs = frozenset({"digest", "use", "ways", "shots", "queries"})
    own_examples._images_dialog("k.family.own_images", knobs)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path))
    return tmp_path


def given(dialog: AppTest, data: bytes, name: str = "own.csv") -> AppTest:
    (uploader,) = dialog.get("file_uploader")
    return uploader.set_value([(name, data, "text/csv")]).run()


def table() -> bytes:
    lines = [
        f"{i};{i * 7 % 31},5;{('a', 'b', 'b')[i % 3]};{2019 + i // 30};"
        f"{('yes', 'no')[i * i % 7 % 2]}"
        for i in range(90)
    ]
    lines[3] = lines[3].replace("21,5", "?")
    return "\n".join(["row;size;word;year;kind", *lines]).encode()


def told(at: AppTest) -> str:
    found = [e.value for kind in (at.caption, at.markdown, at.warning) for e in kind]
    return " ".join(found).replace("\\", "")


def test_choices_are_made_where_the_refusal_names_them_and_fill_the_form() -> None:
    at = given(AppTest.from_function(page, default_timeout=20).run(), table())
    assert not at.exception
    assert "These columns are not numbers: word" in at.error[0].value.replace("\\", "")
    at.multiselect(key="own_one_hot").select("word").run()
    assert "1 of 90 rows has a missing value" in at.error[0].value.replace("\\", "")
    at.selectbox(key="own_empty").select("drop").run()
    assert not at.error and "89 of 90 rows, 3 of 4 features" in told(at)
    at.selectbox(key="own_shift").select("year").run()
    assert "89 of 90 rows, 2 of 3 features (3 inputs), 2 classes" in told(at)
    assert "A task trains on" in told(at)
    assert kept_digests() == []  # nothing is kept before it is asked for
    at.button(key="own_use").click().run()
    (digest,) = kept_digests()
    assert file_record(digest) is not None and file_record(digest).name == "own.csv"  # type: ignore[union-attr]
    later = at.session_state[sessions._LATER]
    assert later["k.shifts"] == ["other_group"]
    assert later["k.shift.other_group.severities"] == "1, 2"
    knobs = {
        n: later[f"{PLACE}.{n}"]
        for n in OwnData.model_fields
        if f"{PLACE}.{n}" in later
    }
    family = OwnData.model_validate(knobs)
    family.check()
    assert family.distances() == [1.0, 2.0]
    for far in (1.0, 2.0):
        family.move_away(far).check()


def test_the_group_of_training_and_an_order_are_chosen_as_on_the_command_line() -> None:
    at = given(AppTest.from_function(page, default_timeout=20).run(), table())
    at.selectbox(key="own_empty").select("drop").run()
    at.multiselect(key="own_ordinal").select("word").run()
    assert at.text_input(key="own_order_word").value == "a < b"
    at.text_input(key="own_order_word").set_value("b < a").run()
    assert not at.error
    at.text_input(key="own_order_word").set_value("b").run()
    assert "The order of 'word' lacks 'a'" in at.error[0].value.replace("\\", "")
    at.text_input(key="own_order_word").set_value("b < a").run()
    at.selectbox(key="own_shift").select("year").run()
    assert at.selectbox(key="own_train_on").options == ["2019", "2020", "2021"]
    at.selectbox(key="own_train_on").select("2021").run()
    at.button(key="own_use").click().run()
    later = at.session_state[sessions._LATER]
    assert later[f"{PLACE}.train_on"] == "2021"
    knobs = {n: later.get(f"{PLACE}.{n}") for n in OwnData.model_fields}
    family = OwnData.model_validate({n: v for n, v in knobs.items() if v is not None})
    family.check()
    assert family.distances() == [1.0, 2.0]
    first = read_own_bytes(family.digest).splitlines()[1]
    assert first == b"0.5,1,2019,yes"  # row is left out, and a comes after b


def test_a_first_line_of_data_is_asked_about_and_answered() -> None:
    data = table().partition(b"\n")[2]
    at = given(AppTest.from_function(page, default_timeout=20).run(), data)
    assert "looks like data" in at.error[0].value
    at.segmented_control(key="own_header").set_value("data").run()
    assert not at.exception and "90 rows, 5 columns" in told(at)


def test_damaged_images_are_named_and_left_out_by_choice() -> None:
    data = packed(folders(3, 4) | {"class 00/bad.png": b"x"})
    at = given(
        AppTest.from_function(images_page, default_timeout=20).run(), data, "mine.zip"
    )
    assert not at.exception
    assert "class 00/bad.png" in at.error[0].value.replace("\\", "")
    at.toggle(key="own_leave").set_value(True).run()
    assert "3 of 3 classes, 12 of 13 images" in told(at)
    assert "1 of 13 images cannot be read" in told(at)
    at.button(key="own_use").click().run()
    later = at.session_state[sessions._LATER]
    assert later["k.family.own_images.use"] == "target"
    record = file_record(later["k.family.own_images.digest"])
    assert record is not None and record.name == "mine.zip"


def test_a_refusal_stands_above_the_choices_and_remarks_share_one_box() -> None:
    rows = [f"{i},{('a', 'A', 'b', 'B')[i % 4]}" for i in range(80)]
    data = "\n".join(["size,kind", *rows]).encode()
    at = given(AppTest.from_function(page, default_timeout=20).run(), data)
    assert not at.exception
    (box,) = at.warning
    assert box.value.count("\n- ") == 1 and box.value.startswith("- 'A' and")
    at = given(AppTest.from_function(page, default_timeout=20).run(), table())
    drawn = [element.type for element in at._tree]  # as on the screen, dialogs, too
    assert drawn.index("error") < drawn.index("multiselect")
