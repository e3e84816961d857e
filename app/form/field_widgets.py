"""Draws any field by its knob's kind, so that a new part needs no code of its own."""

from typing import Any

import streamlit as st

from app.experiment.fields import Field, widget_default
from app.widgets.escaping import escape_markdown
from engine.contract.knobs import KnobCard
from engine.contract.learner_appearance import name_in_words


def draw_field(field: Field) -> None:
    """Draw one field; its value is read later from the session, under its key."""
    st.session_state.setdefault(field.key, widget_default(field.knob))
    _WIDGETS[field.knob.kind](field)


def _common_options(field: Field) -> dict[str, Any]:
    return {
        "key": field.key,
        "help": escape_markdown(field.help),
        "on_change": "ignore",
        "persist_state": "session",
    }


def _draw_number(field: Field) -> None:
    knob = field.knob
    whole = knob.kind == "int"
    cast = int if whole else float
    st.number_input(
        field.label,
        min_value=None if knob.low is None else cast(knob.low),
        max_value=None if knob.high is None else cast(knob.high),
        step=1 if whole else _step_size(knob),
        format="%d" if whole else "%g",
        **_common_options(field),
    )


def _step_size(knob: KnobCard) -> float:
    """Return a step as large as one unit of the default's first digit."""
    # A default of 0 has no first digit.
    size = abs(float(knob.default)) or 1.0
    exponent = len(f"{size:.0f}") - 1 if size >= 1 else -_leading_zeros(size)
    return float(10.0 ** (exponent - (0 if knob.log or size < 1 else 1)))


def _leading_zeros(size: float) -> int:
    zeros = 1
    while size * 10**zeros < 1 and zeros < 12:
        zeros += 1
    return zeros


def _draw_bool(field: Field) -> None:
    st.toggle(field.label, **_common_options(field))


def _draw_choice(field: Field) -> None:
    st.selectbox(
        field.label,
        field.knob.choices,
        format_func=name_in_words,
        **_common_options(field),
    )


def _draw_many(field: Field) -> None:
    st.pills(
        field.label,
        field.knob.choices,
        selection_mode="multi",
        format_func=name_in_words,
        wrap=True,
        **_common_options(field),
    )


def _draw_text(field: Field) -> None:
    st.text_input(field.label, max_chars=120, **_common_options(field))


_WIDGETS = {
    "int": _draw_number,
    "float": _draw_number,
    "bool": _draw_bool,
    "choice": _draw_choice,
    "many": _draw_many,
    "text": _draw_text,
}
