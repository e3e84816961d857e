"""Parts of the form: the choice of one part, and its summary."""

import streamlit as st

from app.form import changes
from app.widgets.escaping import escape_markdown
from engine.contract.cards import Card

PERSIST = {"persist_state": "session"}


def to_sentence(text: str) -> str:
    """Return a summary capitalized, with its Markdown escaped."""
    return escape_markdown(text[:1].upper() + text[1:])


def select_part(label: str, slot: str, cards: list[Card], text: str) -> Card:
    """Draw the choice of one part; return its card."""
    key = f"k.{slot}"
    by_name = {card.name: card for card in cards}
    if st.session_state.get(key) not in by_name:
        st.session_state[key] = next(iter(by_name))
    chosen = by_name[st.session_state[key]]
    name = st.selectbox(
        changes.mark_label(label, key),
        list(by_name),
        format_func=lambda part: _part_title(by_name[part]),
        key=key,
        help=f"{text} Now: {to_sentence(chosen.summary)}",
        **PERSIST,
    )
    return by_name[name]


def _part_title(card: Card) -> str:
    return f"{card.title} · needs data" if card.missing else card.title
