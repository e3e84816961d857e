"""The page Learn: one search, lessons, the glossary, and a card for every part."""

import streamlit as st

from app.client import client
from app.glossary import TERMS
from app.views.learn import part_cards, search_index
from app.views.learn.lesson import draw_lesson
from app.views.learn.lessons import LESSONS
from app.views.learn.search_index import Entry
from app.widgets import page_elements
from app.widgets.escaping import escape_html
from app.widgets.glossary import mark_terms

LESSONS_SECTION, GLOSSARY = "lessons", "glossary"
SECTIONS = {
    LESSONS_SECTION: "Lessons",
    GLOSSARY: "Glossary",
    **part_cards.SHELVES,
}
SINGULAR = {search_index.TERM: "Term", search_index.LESSON: "Lesson"}


def draw_learn() -> None:
    """Draw the page."""
    st.title("Learn", anchor=False)
    query = st.text_input(
        "Find",
        key="find_part",
        bind="query-params",
        placeholder="A term, a lesson or a part, such as PES",
        icon=":material/search:",
        max_chars=120,
        width=420,
        help="Searches the glossary, the lessons and the cards of all parts.",
    )
    if query and query.strip():
        _draw_results(query)
    else:
        _draw_section()


def _draw_section() -> None:
    section = st.segmented_control(
        "Section",
        list(SECTIONS),
        default=LESSONS_SECTION,
        format_func=SECTIONS.get,
        key="shelf",
        bind="query-params",
        required=True,
        help="Lessons explain the ideas, the glossary the words, the cards the parts.",
    )
    if section == GLOSSARY:
        _draw_glossary()
    elif section in part_cards.SHELVES:
        part_cards.draw_cards(list(client.catalogue().cards_of(section)))
    else:
        _draw_lessons()


def _draw_lessons() -> None:
    chosen = st.segmented_control(
        "Lesson",
        list(LESSONS),
        default=next(iter(LESSONS)),
        format_func=lambda name: LESSONS[name].label,
        key="lesson",
        bind="query-params",
        required=True,
        help="Each takes about five minutes, with figures to play with.",
    )
    draw_lesson(LESSONS.get(str(chosen)) or next(iter(LESSONS.values())))


def _draw_glossary() -> None:
    """Draw all terms with what they mean and where they appear."""
    rows = "".join(
        f"<div><dt>{escape_html(term.name)}</dt><dd>{escape_html(term.text)} "
        f"<small>{escape_html(term.where)}</small></dd></div>"
        for term in TERMS
    )
    page_elements.draw_heading(
        "Glossary", "In texts, these words are underlined: press one to read it."
    )
    st.html(f'<dl class="glossary">{rows}</dl>')


def _draw_results(query: str) -> None:
    """Draw what a query finds in terms, lessons and cards."""
    entries = [*search_index.glossary_entries(), *search_index.lesson_entries()]
    if client.is_catalogue_ready():
        slots = part_cards.SHELVES
        entries += search_index.card_entries(client.catalogue(), slots)
    found = search_index.find(entries, query)
    if not found:
        page_elements.draw_empty(
            "Nothing matches", "Try another word, or the beginning of one."
        )
        return
    count = f"{len(found)} result{'s' * (len(found) != 1)}"
    first = f"; the best {search_index.MOST} are shown" * (
        len(found) > search_index.MOST
    )
    page_elements.draw_heading("Results", f"{count}{first}.")
    for entry in found[: search_index.MOST]:
        with st.container(border=True):
            _draw_result(entry)


def _draw_result(entry: Entry) -> None:
    sort = SINGULAR.get(entry.sort) or part_cards.SINGULAR[entry.sort]
    is_term = entry.sort == search_index.TERM
    text = mark_terms(entry.summary) if is_term else escape_html(entry.summary)
    st.html(
        f'<p class="eyebrow">{escape_html(sort)}</p>'
        f'<h3 class="card-title">{escape_html(entry.title)}</h3>'
        f'<p class="card-text">{text}</p>'
    )
    if not is_term:
        st.button(
            "Open",
            key=f"found.{entry.sort}.{entry.name}",
            type="tertiary",
            icon=":material/arrow_forward:",
            help=f"Opens “{entry.title}”.",
            on_click=_open,
            args=(entry.sort, entry.name),
        )


def _open(sort: str, name: str) -> None:
    """Leave the results for a lesson or a card."""
    st.session_state["find_part"] = ""
    if sort == search_index.LESSON:
        st.session_state.update({"shelf": LESSONS_SECTION, "lesson": name})
    else:
        st.session_state.update({"shelf": sort, "part": name})
