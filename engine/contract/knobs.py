"""Knobs as data, and the checks of their values."""

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from engine.contract.errors import Refused
from engine.contract.text_decoding import clean

KnobKind = Literal["int", "float", "bool", "choice", "many", "text"]
# How the time of a run goes with a number, for its estimate. The `steps` of a part add
# up and follow each other in every adaptation; `passes` multiply them. `train_` and
# `test_` are steps and passes of one phase alone. A step is larger in proportion to
# `size`, to the sum of all `rows`, and to the square of an `area`. Of an estimator,
# `members` are runs per task of the budget and `window` is the length of an unroll.
Work = Literal[
    "",
    "steps",
    "train_steps",
    "test_steps",
    "passes",
    "train_passes",
    "rows",
    "size",
    "area",
    "members",
    "window",
]


class KnobCard(BaseModel):
    """One knob as data; see `parts.knob` for the fields.

    `choices` are the values of a knob of the kind "choice" (one of them) or "many"
    (any of them).
    """

    model_config = ConfigDict(frozen=True)

    name: str
    kind: KnobKind
    default: Any
    label: str
    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    log: bool = False
    advanced: bool = False
    follows: str = ""
    before: Any = None
    only: str = ""
    choices: tuple[str, ...] = ()
    work: Work = ""


def check_knob(knob: KnobCard, value: Any) -> Any:
    """Return a value of a knob, checked and converted to the knob's type.

    Raises:
        Refused: If it is not allowed, with the knob, the value and what is allowed.
    """
    try:
        return _CHECKS[knob.kind](knob, value)
    except (TypeError, ValueError, OverflowError):
        shown = repr(value)[:40]
        raise Refused(
            f"{knob.label} must be {describe_allowed(knob)}, not {shown}", knob.name
        ) from None


def describe_allowed(knob: KnobCard) -> str:
    """Return in words which values a knob allows.

    >>> describe_allowed(KnobCard(name="k", kind="int", default=1, label="k",
    ...     help="", low=1))
    'a whole number of at least 1'
    """
    if knob.kind in ("choice", "many"):
        some = "one of" if knob.kind == "choice" else "any of"
        return f"{some} {', '.join(knob.choices)}"
    if knob.kind in ("bool", "text"):
        return "true or false" if knob.kind == "bool" else "a short text"
    noun = "a whole number" if knob.kind == "int" else "a number"
    if knob.low is not None and knob.high is not None:
        return f"{noun} from {_format_bound(knob.low)} to {_format_bound(knob.high)}"
    return (
        f"{noun} of at least {_format_bound(knob.low)}"
        if knob.low is not None
        else noun
    )


def _format_bound(bound: float) -> str:
    """Return an end of a range as one would type it.

    >>> _format_bound(10_000_000), _format_bound(1e-6), _format_bound(1e30)
    ('10000000', '1e-06', '1e+30')
    """
    is_count = float(bound).is_integer() and abs(bound) < 1e9
    return f"{bound:.0f}" if is_count else f"{bound:g}"


def explain_wrong_range(knob: KnobCard) -> str:
    """Return what is wrong with a number's range and how to fix it; empty if nothing.

    >>> explain_wrong_range(KnobCard(name="duty", kind="float", default=0.5, label="",
    ...     help="", low=1, high=0))
    'duty: low 1 is above high 0; swap them'
    """
    if knob.kind not in ("int", "float"):
        return ""
    low, high = knob.low, knob.high
    if low is not None and high is not None and low > high:
        return f"{knob.name}: low {low:g} is above high {high:g}; swap them"
    if knob.log and low is not None and low <= 0:
        return (
            f"{knob.name}: a logarithmic scale cannot begin at {low:g}; give a low "
            "above 0 or leave out log"
        )
    try:
        check_knob(knob, knob.default)
    except Refused:
        return (
            f"{knob.name}: the default {knob.default!r} is not "
            f"{describe_allowed(knob)}; change the default or the range"
        )
    return ""


def _check_number(knob: KnobCard, value: Any) -> Any:
    # bool is a subclass of int in Python, but not a number to the user
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    if knob.low is not None and number < knob.low:
        raise ValueError
    if knob.high is not None and number > knob.high:
        raise ValueError
    if knob.kind == "float":
        return number
    if number != int(number):
        raise ValueError
    return int(number)


def _check_bool(knob: KnobCard, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _check_choice(knob: KnobCard, value: Any) -> str:
    if value not in knob.choices:
        raise ValueError
    return str(value)


def _check_many(knob: KnobCard, value: Any) -> list[str]:
    if isinstance(value, str) or any(item not in knob.choices for item in value):
        raise ValueError
    # in the card's order, so that equal choices give equal run keys
    return [choice for choice in knob.choices if choice in value]


def _check_text(knob: KnobCard, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return clean(value)


_CHECKS = {
    "int": _check_number,
    "float": _check_number,
    "bool": _check_bool,
    "choice": _check_choice,
    "many": _check_many,
    "text": _check_text,
}
