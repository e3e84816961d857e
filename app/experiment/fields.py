"""Form fields: from a card to its fields, and from entered values to knobs.

An entered value is kept under the field's key, apart from the widget: deselecting a
learner and selecting it again loses nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.knobs import KnobCard, check_knob, describe_allowed


class Field(NamedTuple):
    """A knob in the form; `key` is stable across reruns and versions."""

    key: str
    knob: KnobCard

    @property
    def label(self) -> str:
        """Return label and unit, as displayed; a unit that the label names is left out.

        >>> given = {"name": "n", "kind": "int", "default": 8, "help": "How many."}
        >>> told = [("Test tasks", "tasks"), ("Horizon", "steps")]
        >>> [Field("n", KnobCard(**given, label=a, unit=b)).label for a, b in told]
        ['Test tasks', 'Horizon (steps)']
        """
        label, unit = self.knob.label, self.knob.unit
        is_named = not unit or unit in label.lower().split()
        return label if is_named else f"{label} ({unit})"

    @property
    def help(self) -> str:
        """Return the help text with allowed values and default."""
        text = self.knob.help.rstrip(".")
        if self.knob.kind in ("int", "float"):
            return (
                f"{text}. Allowed: {describe_allowed(self.knob)}; default "
                f"{self.knob.default:g}."
            )
        return f"{text}."


def card_fields(card: Card, place: str) -> list[Field]:
    """Return a card's fields, basic ones first.

    Args:
        card: The part that is configured.
        place: Prefix of the keys, such as `k.family.mixtures`.
    """
    made = [Field(f"{place}.{knob.name}", knob) for knob in card.knobs]
    # A stable sort keeps the card's order within both groups.
    return sorted(made, key=lambda field: field.knob.advanced)


def check_values(asked: Iterable[Field], typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entered values of some fields, each validated.

    Raises:
        Refused: For the first invalid one.
    """
    return {
        field.knob.name: check_value(field, typed.get(field.key, field.knob.default))
        for field in asked
    }


def check_value(field: Field, typed: Any) -> Any:
    """Return the entered value of a field, validated.

    Raises:
        Refused: If it is not allowed; the message names what is, and the error's field
            is the key of the form's field.
    """
    value = to_knob_value(field.knob, typed)
    if value is None:
        allowed = describe_allowed(field.knob)
        raise Refused(
            f"{field.knob.label} must be {allowed}, and it is empty", field.key
        )
    try:
        return check_knob(field.knob, value)
    except Refused as refusal:
        raise Refused(refusal.message, field.key) from None


def to_knob_value(knob: KnobCard, typed: Any) -> Any:
    """Convert a widget's value to the knob's type; an empty box stays None."""
    if knob.kind == "many":
        return list(typed or ())
    # The boxes of whole numbers take fractions too, to refuse them rather than cut.
    if knob.kind == "int" and isinstance(typed, float) and typed.is_integer():
        return int(typed)
    return typed


def parse_numbers(text: str, label: str, field: str) -> tuple[float, ...]:
    """Parse numbers that are separated by commas or spaces.

    >>> parse_numbers("0, 1.5  2", "Severities", "s")
    (0.0, 1.5, 2.0)
    """
    words = text.replace(",", " ").replace(";", " ").split()
    try:
        return tuple(float(word) for word in words)
    except ValueError:
        raise Refused(
            f"{label} must be numbers separated by commas, not {text[:40]!r}", field
        ) from None


def format_numbers(numbers: Iterable[float]) -> str:
    """Format numbers as the form displays them.

    >>> format_numbers((0, 1.5, 2))
    '0, 1.5, 2'
    """
    return ", ".join(_format_number(number) for number in numbers)


def _format_number(number: float) -> str:
    short = f"{number:g}"
    return short if float(short) == number else repr(float(number))


def widget_default(knob: KnobCard) -> Any:
    """Return a knob's default in its widget's type."""
    return list(knob.default) if knob.kind == "many" else knob.default


def copy_value(value: Any) -> Any:
    """Return a value that a widget may change without changing the original."""
    return list(value) if isinstance(value, list | tuple) else value
