"""The page Learn: lessons that answer, one search, and a card for every part."""

import pytest
from streamlit.testing.v1 import AppTest

from app.client.catalogue import Catalogue
from app.glossary import TERMS
from app.views.learn import bandit_game
from app.views.learn.lessons import LESSONS
from tests.app.views.run.test_run_page import texts


@pytest.fixture
def learn(lab: AppTest) -> AppTest:
    return lab.switch_page("../pages/learn.py")


def headers(at: AppTest) -> list[str]:
    return [head.value for head in at.header]


def pictured(at: AppTest) -> str:
    return " ".join(element.proto.body for element in at.get("html"))


def test_every_card_can_be_drawn(learn: AppTest, known: Catalogue) -> None:
    at = learn.run()
    for slot in ("learner", "estimator", "family", "shift", "net", "outer"):
        at.session_state["shelf"] = slot
        at.run()
        cards = list(known.cards_of(slot))
        assert len(cards) > 1, slot
        for card in cards:
            at.selectbox(key="part").set_value(card.name).run()
            assert not at.exception, card.name
            assert card.code.strip() in [code.value for code in at.code]


def test_every_lesson_is_drawn(learn: AppTest) -> None:
    at = learn.run()
    assert headers(at) == [LESSONS["optimizers"].title]
    for name, lesson in LESSONS.items():
        at.session_state["lesson"] = name
        at.run()
        assert not at.exception, name
        assert headers(at) == [lesson.title]


@pytest.mark.parametrize(
    ("section", "name"),
    [("A lesson: search", "search"), ("A lesson: exploring", "exploring")],
)
def test_links_of_earlier_releases_open_their_lesson(
    learn: AppTest, section: str, name: str
) -> None:
    learn.query_params["shelf"] = section
    at = learn.run()
    assert not at.exception
    assert headers(at) == [LESSONS[name].title]
    assert "cannot be used" not in texts(at)


def test_a_lesson_answers_its_sliders(learn: AppTest) -> None:
    at = learn.run()
    assert "**diverges**" not in texts(at)
    at.slider(key="valley_rate").set_value(2.1).run()
    assert "**diverges**" in texts(at)
    at.slider(key="valley_stretch").set_value(2.0).run()
    assert "times higher**" in texts(at)
    assert not at.exception


def test_a_step_of_a_lesson_opens_an_experiment(learn: AppTest) -> None:
    learn.session_state["lesson"] = "doubt"
    at = learn.run()
    at.button(key="lesson.4.glyphs").click().run()
    assert not at.exception
    assert "protonet" in at.session_state["k.chosen"]


def test_the_bandit_of_the_lesson_is_played(learn: AppTest) -> None:
    learn.session_state["lesson"] = "exploring"
    at = learn.run()
    at.session_state["bandit_game_pulled"] = [0] * (bandit_game.PULLS - 1)
    at.button(key="pull.1").click().run()
    assert not at.exception
    assert at.button(key="pull.1").disabled
    assert any("Thompson sampling **" in text.value for text in at.markdown)
    at.button(key="another_bandit").click().run()
    assert at.session_state["bandit_game_pulled"] == []


def test_the_glossary_holds_every_term(learn: AppTest) -> None:
    learn.session_state["shelf"] = "glossary"
    shown = pictured(learn.run())
    assert all(f"<dt>{term.name}</dt>" in shown for term in TERMS)


def test_the_search_finds_pes_first_and_opens_its_card(learn: AppTest) -> None:
    at = learn.run()
    at.text_input(key="find_part").set_value("PES").run()
    titles = [b.proto.body for b in at.get("html") if "card-title" in b.proto.body]
    assert ">PES</h3>" in titles[0]
    assert ">Persistent evolution strategies</h3>" in titles[1]
    at.button(key="found.estimator.pes").click().run()
    assert not at.exception
    assert headers(at) == ["Persistent evolution strategies"]
    at.text_input(key="find_part").set_value("no such thing").run()
    assert "Nothing matches" in texts(at)
    at.text_input(key="find_part").set_value("doubt").run()
    at.button(key="found.lesson.doubt").click().run()
    assert headers(at) == [LESSONS["doubt"].title]


def test_a_card_leads_into_the_lab(learn: AppTest) -> None:
    at = learn.run()
    at.session_state["shelf"] = "shift"
    at.run()
    at.selectbox(key="part").set_value("rotate").run()
    at.button(key="try.shift.rotate").click().run()
    assert not at.exception
    assert at.session_state["k.shifts"] == ["rotate"]
