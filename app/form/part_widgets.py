"""Parts of the form: section titles, the choice of a part, and a part's knobs."""

import streamlit as st

from app.experiment import fields
from app.form import field_widgets
from app.widgets.escaping import escape_markdown
from engine.contract.cards import Card

PERSIST = {"persist_state": "session"}


def write_section(title: str) -> None:
    """Write a section's title."""
    st.html(f'<p class="eyebrow">{title}</p>')


def to_sentence(text: str) -> str:
    """Return a summary capitalized, with its Markdown escaped."""
    return escape_markdown(text[:1].upper() + text[1:])


def select_part(label: str, slot: str, cards: list[Card], text: str) -> Card:
    """Draw the choice of one part; return its card."""
    key = f"k.{slot}"
    by_name = {card.name: card for card in cards}
    if st.session_state.get(key) not in by_name:
        st.session_state[key] = next(iter(by_name))
    name = st.selectbox(
        label,
        list(by_name),
        format_func=lambda part: _part_title(by_name[part]),
        key=key,
        help=text,
        **PERSIST,
    )
    return by_name[name]


def _part_title(card: Card) -> str:
    return f"{card.title} · needs data" if card.missing else card.title


def draw_knobs(made: list[fields.Field], switch: str) -> None:
    """Draw the basic fields, and the advanced ones behind a toggle."""
    for field in (f for f in made if not f.knob.advanced):
        field_widgets.draw_field(field)
    folded = [field for field in made if field.knob.advanced]
    if folded and st.toggle(f"{len(folded)} more settings", key=f"v.more.{switch}"):
        for field in folded:
            field_widgets.draw_field(field)
