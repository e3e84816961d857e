"""Start: its questions, its gallery, and what others sent open the Lab."""

import pytest
from streamlit.testing.v1 import AppTest

from app import share_links
from app.client import catalogue as shelves
from app.client import client, files, recorded_examples
from app.client.catalogue import Catalogue
from app.views.start import gallery, open_link
from app.widgets.escaping import escape_html
from engine.contract import kinds
from engine.contract.errors import Refused
from engine.contract.jobs import JobState
from engine.contract.run_spec import RunSpec
from tests.app.conftest import ROOT
from tests.app.views.run.test_run_page import texts


@pytest.fixture
def start(lab: AppTest) -> AppTest:
    return lab.switch_page("../pages/start.py")


def pictured(at: AppTest) -> str:
    return " ".join(element.proto.body for element in at.get("html"))


def test_every_kind_asks_its_question_and_opens_the_lab_with_it(
    start: AppTest, known: Catalogue
) -> None:
    for kind in kinds.KINDS.values():
        start.query_params.clear()  # as a browser does that leaves the Lab
        at = start.switch_page("../pages/start.py").run()
        assert kind.words.question in pictured(at)
        at.button(key=f"open.{kind.name}").click().run()
        assert not at.exception
        assert known.kind_of(at.session_state["k.family"]) == kind.name


def test_a_recorded_answer_stands_beside_its_question(
    start: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded_examples, "FOLDER", ROOT / "app/recorded")
    shown = pictured(start.run())
    assert not start.exception
    for kind in kinds.KINDS:
        run = recorded_examples.recorded_run(kind)
        assert run is not None
        headline = str((run.summary or {})["headline"])
        assert headline.replace("'", "&#x27;") in shown
    assert "gradient steps" in shown  # the film


def test_the_gallery_shows_titles_whole_and_can_be_filtered(
    start: AppTest, known: Catalogue
) -> None:
    at = start.run()
    at.session_state["gallery"] = "search"
    at.run()
    assert not at.exception
    found = [p for p in known.presets if known.kind_of(p.spec.family.name) == "search"]
    first = found[: gallery.PER_PAGE]
    shown, words = pictured(at), [t for p in first for t in (p.title, p.summary)]
    assert all(escape_html(text) in shown for text in words)
    assert shown.count('class="start-time"') == len(first)
    assert all(at.button(key=f"gallery.{preset.name}") for preset in first)


def test_an_experiment_of_the_gallery_opens_and_does_not_start(
    start: AppTest, known: Catalogue
) -> None:
    before = client.jobs()[1]
    at = start.run()
    at.button(key="gallery.digits").click().run()
    assert not at.exception
    assert at.session_state["k.family"] == "digits"
    assert client.jobs()[1] == before


def test_a_run_of_this_machine_answers_before_the_recorded_one(
    home: object, key: str, tiny: RunSpec
) -> None:
    preset = shelves.Preset("mine", "Mine", "", tiny)
    found = gallery.find_answer(preset, client.job(key), kinds.OPTIMIZATION)
    assert found is not None
    assert found.run == key
    claims = (client.summary(key) or {})["claims"]
    assert [found.call] == [claim["call"] for claim in claims if claim["primary"]]
    assert gallery.find_answer(preset, None, kinds.OPTIMIZATION) is None


def test_the_page_needs_no_catalogue(
    start: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = shelves.CatalogueCache(lambda: None)
    monkeypatch.setattr(cache, "start_loading", lambda: False)
    monkeypatch.setattr(client, "_catalogue_cache", cache)
    at = start.run()
    assert not at.exception
    assert kinds.SEARCH.words.question in pictured(at)
    assert "Loading the experiments" in texts(at)


def open_pasted(start: AppTest, text: str) -> AppTest:
    at = start.run()
    at.text_input(key="pasted_link").set_value(text)
    pressed = [b for b in at.button if b.label == "Open the link"]
    return pressed[0].click().run()


def test_a_pasted_link_of_another_installation_opens_its_experiment(
    start: AppTest, tiny: RunSpec
) -> None:
    packed = share_links.pack(tiny.model_copy(update={"seed": 4711}))
    at = open_pasted(
        start, f" https://else.example/metascope/lab?tab=cost&x={packed}#a"
    )
    assert not at.exception
    assert at.session_state["k.seed"] == "4711"


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("", "names no run"),
        ("javascript:alert(1)", "names no run"),
        ("https://[bad/lab?tab=1", "names no run"),
        ("https://h/lab?" + "&".join(["a=1"] * 2000), "names no run"),
        (f"https://h/lab?run={'0' * 64}", "no run with this id"),
        ("https://h/lab?run=../../etc", "no run with this id"),
        ("https://h/lab?x=1.AAAA", "damaged"),
        ("https://h/lab?x=9.AAAA", "format 9"),
        ("https://h/lab?x=1." + "A" * 70_000, "too long"),
    ],
)
def test_a_bad_link_is_refused_in_one_sentence(
    home: object, link: str, said: str
) -> None:
    with pytest.raises(Refused, match=said):
        open_link.check_link(open_link.read_link(link))


def test_a_link_that_is_too_long_is_refused_and_not_ignored(start: AppTest) -> None:
    # The browser keeps to itself what is longer than the box allows.
    assert start.run().text_input(key="pasted_link").proto.max_chars == 0
    at = open_pasted(start, "https://h/lab?x=1." + "A" * open_link.LIMIT)
    assert "too long" in at.error[0].value


def test_a_refused_link_leaves_start_in_place(start: AppTest) -> None:
    at = open_pasted(start, "https://h/lab?x=1.AAAA")
    assert "damaged" in at.error[0].value
    assert at.button(key="open.rl")


def test_a_dropped_archive_is_imported_and_opened(start: AppTest, key: str) -> None:
    archive = files.export_run_archive(client.run(key))
    client.delete(key)
    at = start.run()
    at.file_uploader(key="archive.start").set_value(
        ("run.zip", archive, "application/zip")
    ).run()
    at.button(key="import.start").click().run()
    assert not at.exception
    job = client.job(key)
    assert job is not None
    assert job.state == JobState.DONE
    assert at.query_params["run"] == key
