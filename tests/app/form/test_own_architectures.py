"""The way to an own table: its form, its refusals, and what it fills in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import session as sessions
from app.client.catalogue import Catalogue
from app.form import own_examples
from engine.data.user.csv_store import kept_digests, read_csv, store_csv
from tests.app.conftest import in_use, open_lab
from tests.app.views.run.test_run_page import texts
from tests.data.user.csv_files import sheet

TABLE = {
    "dataset": ["a", "a", "b", "b"],
    "op:width": ["16", "4", "4", "16"],
    "op:skip": ["no", "yes", "yes", "no"],
    "validation": ["50", "", "30", "90"],
    "parameters": ["160", "40", "40", "160"],
}


def page() -> None:
    from app.form import own_architectures

    knobs = frozenset({"digest", "accuracy", "target", "noise"})
    own_architectures.architectures_dialog("k.family.own_architectures", knobs)


@pytest.fixture
def dialog(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AppTest:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path))
    return AppTest.from_function(page).run()


def given(dialog: AppTest, data: bytes) -> AppTest:
    (uploader,) = dialog.get("file_uploader")
    return uploader.set_value([("own.csv", data, "text/csv")]).run()


def test_the_form_explains_the_format_before_a_file_is_chosen(dialog: AppTest) -> None:
    (told,) = [element.value for element in dialog.markdown]
    assert all(f"`{name}`" in told for name in ("dataset", "op:NAME", "validation"))


def test_what_is_in_a_table_is_shown_and_it_fills_the_form(dialog: AppTest) -> None:
    at = given(dialog, sheet(TABLE))
    assert not at.exception
    assert "2 architectures, data sets: a, b" in at.caption[0].value
    warned = " ".join(element.value for element in at.warning).replace("\\", "")
    assert "read as percent" in warned
    assert (
        "2 of 4 combinations" in warned
        and "Failed trainings (empty validation cells): 1" in warned
    )
    at.selectbox(key="own_searched").select("b").run()
    assert kept_digests() == []  # nothing is kept before it is asked for
    at.button(key="own_use").click().run()
    (digest,) = kept_digests()
    place = "k.family.own_architectures"
    later = at.session_state[sessions._LATER]
    assert later[f"{place}.digest"] == digest
    assert later[f"{place}.accuracy"] == "percent" and later[f"{place}.target"] == "b"


def test_a_wrong_file_is_refused_in_one_sentence_and_not_stored(
    dialog: AppTest,
) -> None:
    at = given(dialog, sheet(TABLE | {"validation": ["50", "good", "30", "90"]}))
    assert not at.exception
    assert "Line 3: 'validation' has 'good'" in at.error[0].value.replace("\\", "")
    assert kept_digests() == []
    no_sheet = given(AppTest.from_function(page).run(), b"PK\x03\x04")
    assert "ZIP archive" in no_sheet.error[0].value


def test_every_kind_of_file_has_its_dialog(known: Catalogue) -> None:
    wanting = {
        str(card.traits["file"])
        for card in known.cards_of("family")
        if card.traits["needs_file"]
    }
    assert wanting == {"csv", *own_examples._DIALOGS}


@pytest.fixture
def search(
    made: tuple[Path, str],
    known: Catalogue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[AppTest]:
    for _ in in_use(made[0], known, tmp_path, monkeypatch):
        yield open_lab("search")


def test_the_page_asks_for_a_table_and_then_it_can_be_searched(search: AppTest) -> None:
    at = search.run()
    at.selectbox(key="k.family").select("own_architectures").run()
    assert not at.exception
    assert "choose a CSV first" in texts(at)
    assert at.button(key="run_button").disabled
    digest = store_csv(read_csv(sheet(TABLE)))
    at.session_state["k.family.own_architectures.digest"] = digest
    at.session_state["k.family.own_architectures.accuracy"] = "percent"
    at.run()
    assert not at.exception
    assert not at.button(key="run_button").disabled
    assert digest[:12] in texts(at)
