"""Fields as widgets: one function draws each kind of knob, so new parts need none."""

from typing import Any

import streamlit as st

from app.experiment.fields import Field, shown
from app.widgets.escaping import plain
from engine.contract.appearance import name_in_words
from engine.contract.cards import KnobCard


def draw(field: Field) -> None:
    """Draw one field; its value is read later, under its key."""
    st.session_state.setdefault(field.key, shown(field.knob))
    _WIDGETS[field.knob.kind](field)


def _common(field: Field) -> dict[str, Any]:
    return {
        "key": field.key,
        "help": plain(field.help),
        "on_change": "ignore",
        "persist_state": "session",
    }


def _number(field: Field) -> None:
    knob = field.knob
    whole = knob.kind == "int"
    cast = int if whole else float
    st.number_input(
        field.label,
        min_value=None if knob.low is None else cast(knob.low),
        max_value=None if knob.high is None else cast(knob.high),
        step=1 if whole else _step(knob),
        format="%d" if whole else "%g",
        **_common(field),
    )


def _step(knob: KnobCard) -> float:
    """Return a step of the size of the default's first digit."""
    size = abs(float(knob.default)) or 1.0
    exponent = len(f"{size:.0f}") - 1 if size >= 1 else -_zeros(size)
    return float(10.0 ** (exponent - (0 if knob.log or size < 1 else 1)))


def _zeros(size: float) -> int:
    zeros = 1
    while size * 10**zeros < 1 and zeros < 12:
        zeros += 1
    return zeros


def _bool(field: Field) -> None:
    st.toggle(field.label, **_common(field))


def _choice(field: Field) -> None:
    st.selectbox(
        field.label,
        field.knob.choices,
        format_func=name_in_words,
        **_common(field),
    )


def _many(field: Field) -> None:
    st.pills(
        field.label,
        field.knob.choices,
        selection_mode="multi",
        format_func=name_in_words,
        wrap=True,
        **_common(field),
    )


def _text(field: Field) -> None:
    st.text_input(field.label, max_chars=120, **_common(field))


_WIDGETS = {
    "int": _number,
    "float": _number,
    "bool": _bool,
    "choice": _choice,
    "many": _many,
    "text": _text,
}
