"""Terms are explained where they appear, once in a text, and nothing else is marked."""

import re

import pytest

from app.glossary import TERMS
from app.widgets.glossary import (
    help_of,
    mark_terms,
    mark_terms_of_markdown,
    term_named,
)

BUTTON = re.compile(r'<button[^>]* popovertarget="([^"]+)">([^<]+)</button>')


def marked(html: str) -> list[str]:
    return [shown for _, shown in BUTTON.findall(html)]


def test_a_term_is_marked_once_in_any_of_its_forms() -> None:
    html = mark_terms("Intervals over replicates; another interval, one replicate.")
    assert marked(html) == ["Intervals", "replicates"]
    assert html.count(help_of("interval")) == 1


def test_every_button_opens_the_note_beside_it() -> None:
    html = mark_terms("Regret in distribution, at each meta-step.")
    assert len(BUTTON.findall(html)) == 3
    for name, _ in BUTTON.findall(html):
        assert html.count(f'id="{name}"') == 1
        assert f'popover class="term-note" id="{name}"' in html


@pytest.mark.parametrize(
    "text", ["disregretful", "queryable", "pesky", "a b c", "ways"]
)
def test_parts_of_words_and_everyday_words_are_not_marked(text: str) -> None:
    assert mark_terms(text) == text


def test_text_is_shown_literally_and_emphasis_is_kept() -> None:
    assert "<script>" not in mark_terms("<script>PES</script>")
    html = mark_terms_of_markdown("**Regret** is <b> *not* 2 * 3")
    assert html.startswith("<b><button")
    assert "<i>not</i> 2 * 3" in html
    assert "&lt;b&gt;" in html


def test_forms_name_one_term_and_texts_are_short() -> None:
    forms = [form.casefold() for term in TERMS for form in (term.name, *term.aliases)]
    assert len(forms) == len(set(forms))
    for term in TERMS:
        assert term_named(term.name.upper()) is term
        assert all(len(form) > 2 for form in (term.name, *term.aliases))
        assert 1 <= len(re.findall(r"[.!?](?: |$)", term.text)) <= 3, term.name
        assert term.where
    assert [term.name for term in TERMS] == sorted(
        (term.name for term in TERMS), key=str.casefold
    )
