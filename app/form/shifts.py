"""The form's shifts and other families, which only the tests see."""

import streamlit as st

from app.client.catalogue import Catalogue
from app.experiment import compatibility, fields
from app.form import changes, field_widgets, part_widgets
from app.widgets.escaping import escape_markdown
from engine.contract import kinds
from engine.contract.cards import Card

SHIFTS, FAMILIES = "k.shifts", "k.test_families"


def draw_shifts(catalogue: Catalogue, kind: kinds.Kind) -> None:
    """Draw the choice of shifts; their severities are among all settings."""
    cards = compatibility.cards_of_kind(catalogue, "shift", kind.name)
    names = [card.name for card in cards]
    st.multiselect(
        changes.mark_label("Test under shifts", SHIFTS),
        [*names, *_brought_places(SHIFTS, names)],
        format_func=lambda place: _card_at(catalogue, "shift", place).title,
        key=SHIFTS,
        placeholder="No shift",
        select_all=False,
        help=kind.words.shifts_help,
        **part_widgets.PERSIST,
    )


def draw_shift_fields(catalogue: Catalogue) -> None:
    """Draw the severities and the settings of each chosen shift."""
    places = st.session_state.get(SHIFTS) or ()
    if not places:
        st.caption("No shift is chosen: the tests are in distribution only.")
    for place in places:
        card = _card_at(catalogue, "shift", place)
        key = f"k.shift.{place}.severities"
        unit = f" ({card.traits['unit']})" if card.traits.get("unit") else ""
        usual = fields.format_numbers(card.traits.get("severities", ()))
        st.session_state.setdefault(key, usual)
        st.text_input(
            changes.mark_label(f"{card.title}: severities{unit}", key),
            key=key,
            help=escape_markdown(
                f"{card.summary} 0 means no change; at most "
                f"{card.traits.get('top', 10)}."
            ),
            **part_widgets.PERSIST,
        )
        field_widgets.draw_fields(fields.card_fields(card, f"k.shift.{place}"))


def draw_test_families(catalogue: Catalogue, kind: kinds.Kind) -> None:
    """Draw the choice of other families that the tests see."""
    cards = compatibility.cards_of_kind(catalogue, "family", kind.name)
    names = [card.name for card in cards if not card.missing]
    st.multiselect(
        changes.mark_label("Test on other families", FAMILIES),
        [*names, *_brought_places(FAMILIES, names)],
        format_func=lambda place: _card_at(catalogue, "family", place).title,
        key=FAMILIES,
        placeholder="No other family",
        select_all=False,
        help="Tests whether what was learned transfers to other tasks.",
        **part_widgets.PERSIST,
    )


def _brought_places(key: str, offered: list[str]) -> list[str]:
    """Return what a link brought and the menu does not offer."""
    return [place for place in st.session_state.get(key, ()) if place not in offered]


def _card_at(catalogue: Catalogue, slot: str, place: str) -> Card:
    """Return the card of a place: the same part may be used twice, as `a#2`."""
    return catalogue.card(slot, place.partition("#")[0])
