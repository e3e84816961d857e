"""Card → fields → widgets: data first, drawing second.

A field is a knob at a place in the form. The kinds are a closed set and one function
draws each, so a new part needs no code here. What a person typed lives under the
field's key and outlives the widget: switching a learner away and back loses nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import streamlit as st

from app.plain import plain
from engine.contract.cards import Card, KnobCard, allowed, checked
from engine.contract.errors import Refused


class Field(NamedTuple):
    """A knob at its place; `key` is stable across reruns and versions."""

    key: str
    knob: KnobCard

    @property
    def label(self) -> str:
        """Return label and unit as the form shows them."""
        unit = f" ({self.knob.unit})" if self.knob.unit else ""
        return f"{self.knob.label}{unit}"

    @property
    def help(self) -> str:
        """Return the help line with what is allowed."""
        text = self.knob.help.rstrip(".")
        if self.knob.kind in ("int", "float"):
            return (
                f"{text}. Takes {allowed(self.knob)}; starts at {self.knob.default:g}."
            )
        return f"{text}."


def fields(card: Card, place: str) -> list[Field]:
    """Return a card's fields, basic ones first.

    Args:
        card: The part that is configured.
        place: Prefix of the keys, such as `k.family.mixtures`.
    """
    made = [Field(f"{place}.{knob.name}", knob) for knob in card.knobs]
    return sorted(made, key=lambda field: field.knob.advanced)


def values(asked: Iterable[Field], typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form holds for some fields, each checked.

    Raises:
        Refused: For the first one that its knob does not take.
    """
    return {
        field.knob.name: checked(
            field.knob, read(field.knob, typed.get(field.key, field.knob.default))
        )
        for field in asked
    }


def read(knob: KnobCard, typed: Any) -> Any:
    """Turn what a widget holds into what a knob takes; an empty box stays None."""
    if knob.kind == "many":
        return list(typed or ())
    return typed


def parse_numbers(text: str, label: str, field: str) -> tuple[float, ...]:
    """Read numbers that a person separated by commas or spaces.

    >>> parse_numbers("0, 1.5  2", "Severities", "s")
    (0.0, 1.5, 2.0)
    """
    words = text.replace(",", " ").replace(";", " ").split()
    try:
        return tuple(float(word) for word in words)
    except ValueError:
        raise Refused(
            f"{label} must be numbers with commas between, not {text[:40]!r}", field
        ) from None


def show_numbers(numbers: Iterable[float]) -> str:
    """Return numbers as the form writes them.

    >>> show_numbers((0, 1.5, 2))
    '0, 1.5, 2'
    """
    return ", ".join(_short(number) for number in numbers)


def _short(number: float) -> str:
    short = f"{number:g}"
    return short if float(short) == number else repr(float(number))


def draw(field: Field) -> None:
    """Draw one field; its value is read later, under its key."""
    st.session_state.setdefault(field.key, shown(field.knob))
    _WIDGETS[field.knob.kind](field)


def shown(knob: KnobCard) -> Any:
    """Return a knob's default as its widget holds it."""
    return list(knob.default) if knob.kind == "many" else knob.default


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
        format_func=words,
        **_common(field),
    )


def _many(field: Field) -> None:
    st.pills(
        field.label,
        field.knob.choices,
        selection_mode="multi",
        format_func=words,
        wrap=True,
        **_common(field),
    )


def _text(field: Field) -> None:
    st.text_input(field.label, max_chars=120, **_common(field))


def words(choice: str) -> str:
    """Return a choice for the eye.

    >>> words("warmup_cosine")
    'warmup cosine'
    """
    return choice.replace("_", " ")


_WIDGETS = {
    "int": _number,
    "float": _number,
    "bool": _bool,
    "choice": _choice,
    "many": _many,
    "text": _text,
}
