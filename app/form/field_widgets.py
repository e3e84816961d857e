"""Draws any field by its knob's kind, so that a new part needs no code of its own."""

from typing import Any

import streamlit as st

from app.experiment import fields
from app.experiment.fields import Field, widget_default
from app.form import changes
from app.widgets.escaping import escape_markdown
from engine.contract.errors import Refused
from engine.contract.knobs import KnobCard
from engine.contract.learner_appearance import name_in_words

COLUMNS = 3


def draw_fields(made: list[Field]) -> None:
    """Draw fields side by side; the keyboard goes through them row by row."""
    for first in range(0, len(made), COLUMNS):
        columns = st.columns(COLUMNS)
        for column, field in zip(columns, made[first:], strict=False):
            with column:
                draw_field(field)


def draw_field(field: Field) -> None:
    """Draw one field; its value is read later from the session, under its key.

    A value that is not allowed is kept, with the reason under it.
    """
    st.session_state.setdefault(field.key, widget_default(field.knob))
    _WIDGETS[field.knob.kind](field)
    try:
        fields.check_value(field, st.session_state[field.key])
    except Refused as refusal:
        st.caption(f":material/error: {escape_markdown(refusal.message)}.")


def _common_options(field: Field) -> dict[str, Any]:
    before = changes.describe_start(field.key)
    return {
        "label": changes.mark_label(field.label, field.key),
        "key": field.key,
        "help": escape_markdown(f"{field.help} {before}".strip()),
        "persist_state": "session",
    }


def _draw_number(field: Field) -> None:
    """Draw a box for a number that has the range of no field.

    Given a range, the browser would keep a value outside it to itself, and the form
    would go on with the previous one. Nor would it tell of fractions, if the box were
    one for whole numbers, or of an empty box, if it had a default.
    """
    knob, held = field.knob, st.session_state[field.key]
    if isinstance(held, int):
        st.session_state[field.key] = float(held)
    st.number_input(
        value=None,
        step=1.0 if knob.kind == "int" else _step_size(knob),
        format="%g",
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
    st.toggle(**_common_options(field))


def _draw_choice(field: Field) -> None:
    st.selectbox(
        options=field.knob.choices,
        format_func=name_in_words,
        **_common_options(field),
    )


def _draw_many(field: Field) -> None:
    st.pills(
        options=field.knob.choices,
        selection_mode="multi",
        format_func=name_in_words,
        wrap=True,
        **_common_options(field),
    )


def _draw_text(field: Field) -> None:
    st.text_input(max_chars=120, **_common_options(field))


_WIDGETS = {
    "int": _draw_number,
    "float": _draw_number,
    "bool": _draw_bool,
    "choice": _draw_choice,
    "many": _draw_many,
    "text": _draw_text,
}
