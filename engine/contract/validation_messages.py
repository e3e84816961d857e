"""Translating pydantic's validation errors into plain sentences."""

from collections.abc import Sized
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from engine.contract.errors import Refused, json_path
from engine.contract.text_decoding import clean

_OBJECT = "must be a JSON object"
_WHOLE = "must be a whole number"
_NUMBER = "must be a number"
_LIST = "must be a list"
# By pydantic's error type; the braces are filled from the error's context.
_WORDS = {
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), _OBJECT),
    **dict.fromkeys(("int_type", "int_from_float", "int_parsing"), _WHOLE),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), _NUMBER),
    **dict.fromkeys(("tuple_type", "list_type"), _LIST),
    **dict.fromkeys(("literal_error", "enum"), "must be {expected}"),
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be below {lt}",
    "string_pattern_mismatch": "must be 64 digits of 0-9 and a-f",
}


def first_refusal(error: ValidationError) -> Refused:
    """Return the first error of a validation as one sentence with its field."""
    first = error.errors(include_url=False)[0]
    field = clean(".".join(str(step) for step in first["loc"]))
    where = f"{json_path(field)}: " if field else ""
    return Refused(where + describe_error(first), field)


def describe_error(error: ErrorDetails) -> str:
    """Return what is allowed and what was given, such as `at most 8, not 11`.

    Args:
        error: One entry of `ValidationError.errors()`.
    """
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return "it is missing"
    if kind == "extra_forbidden":
        return "no such field"
    if kind == "value_error":
        return str(context["error"])  # raised by a check of our own, in plain words
    if kind in ("too_long", "string_too_long", "too_short", "string_too_short"):
        return _describe_length(kind, context, error["input"])
    words = _WORDS.get(kind, "must be another value").format(**context)
    return f"{words}, not {describe_value(error['input'])}"


def _describe_length(kind: str, context: dict[str, Any], given: Any) -> str:
    noun = " characters" if kind.startswith("string") else ""
    bound, number = (
        ("at most", context["max_length"])
        if kind.endswith("long")
        else ("at least", context["min_length"])
    )
    count = len(given) if isinstance(given, Sized) else context.get("actual_length")
    return f"{bound} {number}{noun}, not {count}"


def describe_value(value: Any) -> str:
    """Return a JSON value as at most 42 characters; of containers, only the type.

    >>> (describe_value({"a": 1}), describe_value("x"), describe_value(None),
    ...  describe_value(True))
    ('a JSON object', "'x'", 'null', 'true')
    """
    if isinstance(value, dict):
        return "a JSON object"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) >= 10**40:
        return "a number of more than 40 digits"
    return repr(clean(value)[:40] if isinstance(value, str) else value)[:42]
