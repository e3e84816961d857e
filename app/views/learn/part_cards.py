"""A card per part with summary, equation, knobs and source code."""

import streamlit as st

from app import session
from app.client import client
from app.experiment import derived_experiments
from app.form.learners import GROUPS
from app.widgets import page_elements, tables
from app.widgets.escaping import equation_html, escape_html, escape_markdown
from app.widgets.glossary import mark_terms
from engine.contract import kinds
from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.knobs import KnobCard, describe_allowed
from engine.contract.learner_appearance import name_in_words

SHELVES = {
    "learner": "Learners",
    "estimator": "Estimators",
    "family": "Task families",
    "shift": "Shifts",
    "net": "Nets",
    "outer": "Outer rules",
}
SINGULAR = {
    "learner": "Learner",
    "estimator": "Estimator",
    "family": "Task family",
    "shift": "Shift",
    "net": "Net",
    "outer": "Outer rule",
}


def draw_cards(cards: list[Card]) -> None:
    """Draw the choice of a card, by group, and the chosen card below it."""
    names = [card.name for card in cards]
    if st.session_state.get("part") not in names:
        st.session_state["part"] = names[0]
    by_name = {card.name: card for card in cards}
    several = len({card.group for card in cards}) > 1
    # A list of all titles would fill several screens of a phone.
    picked = st.selectbox(
        f"Card ({len(cards)})",
        names,
        format_func=lambda name: _option_text(by_name[name], with_group=several),
        key="part",
        persist_state="session",
        width=520,
    )
    draw_card(by_name[str(picked)])


def _option_text(card: Card, *, with_group: bool) -> str:
    """Return a card's title; behind it its group, by which cards are sorted."""
    group = GROUPS.get(card.group, name_in_words(card.group).capitalize())
    return f"{card.title} · {group}" if with_group else card.title


def draw_card(card: Card) -> None:
    """Draw one card."""
    solves = [kinds.kind_named(name).title.lower() for name in card.solves]
    words = (name_in_words(card.group), *solves, f"version {card.version}")
    st.html(f'<p class="eyebrow">{escape_html(" · ".join(words))}</p>')
    st.header(escape_markdown(card.title), anchor=False)
    summary = mark_terms(card.summary[:1].upper() + card.summary[1:])
    st.html(f'<p class="lesson-text">{summary}</p>')
    with st.container(border=True):
        st.html(f'<p class="equation">{equation_html(card.equation)}</p>')
    if card.missing:
        st.warning(
            escape_markdown(f"Its data is not installed: it needs {card.missing}.")
        )
    _draw_texts(card)
    _draw_try_button(card)
    if card.knobs:
        page_elements.draw_heading(
            "Hyperparameters", "Each with its default, its range and what it does."
        )
        rows = [_knob_row(knob) for knob in card.knobs]
        tables.draw_static_table(
            rows, border="horizontal", alt=f"Hyperparameters of {card.title}"
        )
    with st.expander("Source code"):
        st.code(card.code, language="python", line_numbers=True)


def _draw_texts(card: Card) -> None:
    for head, text in (
        ("When it helps", card.helps),
        ("How it differs", card.differs),
        ("Source", card.source),
    ):
        if text:
            said = mark_terms(text[:1].upper() + text[1:])
            st.html(f'<p class="lesson-text"><b>{head}.</b> {said}</p>')


def _knob_row(knob: KnobCard) -> dict[str, str]:
    unit = f" ({knob.unit})" if knob.unit else ""
    default = (
        ", ".join(knob.default) if isinstance(knob.default, list) else knob.default
    )
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    return {
        "Name": f"{knob.label}{unit}",
        "Default": name_in_words(shown),
        "Allowed": name_in_words(describe_allowed(knob)),
        "What it does": knob.help,
    }


def _draw_try_button(card: Card) -> None:
    """Draw the button that opens the form with this part chosen."""
    if card.missing or not st.button(
        "Try it",
        icon=":material/science:",
        key=f"try.{card.slot}.{card.name}",
    ):
        return
    try:
        session.load_spec(
            derived_experiments.experiment_with_part(
                card, client.catalogue(), session.form_kind()
            )
        )
    except Refused as refusal:
        page_elements.draw_refusal(refusal.message)
        return
    session.show_run(None)
    session.open_lab()
