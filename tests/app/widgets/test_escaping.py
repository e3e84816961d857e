"""An equation's marks become HTML, and nothing else does."""

from html.parser import HTMLParser

import pytest

from app.widgets.escaping import equation_html
from engine.catalogue import all_cards
from engine.contract.cards import Card


class Marks(HTMLParser):
    """Keeps the tags and the text that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.tags.append("/" + tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(equation: str) -> Marks:
    marks = Marks()
    marks.feed(equation_html(equation))
    return marks


@pytest.mark.parametrize("card", all_cards(), ids=lambda c: f"{c.slot}-{c.name}")
def test_no_mark_of_an_equation_is_left_as_it_is_typed(card: Card) -> None:
    marks = seen(card.equation)
    assert not set("_^{}") & set(marks.text)
    # Indices and exponents are not nested: each tag is closed at once.
    opened, closed = marks.tags[::2], marks.tags[1::2]
    assert ["/" + tag for tag in opened] == closed
    assert set(opened) <= {"sub", "sup"}


def test_what_is_typed_in_an_equation_is_no_html() -> None:
    marks = seen("a_<b> & x_{<i>}")
    assert marks.tags == ["sub", "/sub"]
    assert marks.text == "a_<b> & x<i>"
