"""Strict parsing of run specs and other JSON that come from the user or a link."""

import json
from typing import Any

from pydantic import ValidationError

from engine.contract.errors import Refused
from engine.contract.run_spec import CardLookup, RunSpec, canonical_json
from engine.contract.suggestions import suggest_field
from engine.contract.text_decoding import as_text, clean
from engine.contract.validation_messages import first_refusal

SPEC_LIMIT = 256_000  # bytes
DEPTH_LIMIT = 40  # nested lists and objects
DIGITS_LIMIT = 1_000  # of a whole number; parsing takes time quadratic in it


def parse_spec(text: str | bytes, cards: CardLookup | None = None) -> RunSpec:
    """Parse a run spec from JSON of the user or a link.

    Args:
        text: The JSON.
        cards: Gives the card of (slot, name), to suggest names for misspelled knobs.

    Raises:
        Refused: If it is not a valid spec, in one sentence.
    """
    value = parse_json(text, SPEC_LIMIT)
    if not isinstance(value, dict):
        raise Refused("a run spec must be a JSON object with 'family' and 'learners'")
    try:
        return RunSpec.model_validate(value)
    except ValidationError as error:
        raise _first_refusal(error, value, cards) from None


def parse_json(text: str | bytes, limit: int) -> Any:
    """Parse JSON strictly: Unicode, no NaN, no duplicate keys, bounded size and depth.

    Args:
        text: The JSON.
        limit: The most bytes, or characters, that it may have.

    Raises:
        Refused: If it is not such JSON, in one sentence.
    """
    if len(text) > limit:
        raise Refused(f"this has {len(text):,} bytes; at most {limit:,} are allowed")
    held = as_text(text) if isinstance(text, bytes) else text.removeprefix("\ufeff")
    _check_surrogates(held)
    if not held.strip("\0 \t\r\n"):
        raise Refused("this file is empty")
    # before parsing, whose recursion could exhaust the stack
    if _depth(held) > DEPTH_LIMIT:
        raise Refused(f"this JSON nests deeper than {DEPTH_LIMIT} levels")
    try:
        value = json.loads(
            held,
            object_pairs_hook=_refuse_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_parse_float,
            parse_int=_parse_int,
        )
        canonical_json(value)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Refused(f"this is not JSON: see {where}") from None
    except RecursionError:
        raise Refused("this JSON cannot be read: it nests too deeply") from None
    # again: an escape such as \ud800 becomes a surrogate only when parsed
    _check_surrogates(json.dumps(value, ensure_ascii=False))
    return value


def _check_surrogates(text: str) -> None:
    """Refuse a lone surrogate, which JSON can escape but UTF-8 cannot encode."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        raise Refused(
            f"this holds half of a character, the lone surrogate {half}; remove it"
        ) from None


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in pairs:
        if key in fields:
            raise Refused(f"the field {clean(key)!r} is given twice", clean(key))
        fields[key] = value
    return fields


def _refuse_constant(name: str) -> Any:
    raise Refused(f"{name} is not allowed; numbers must be finite")


def _parse_float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Refused(f"{text[:40]} is too large for a 64-bit float")
    return value


def _parse_int(text: str) -> int:
    if len(text) > DIGITS_LIMIT:
        raise Refused(
            f"{text[:8]}… has {len(text):,} digits; a number has at most "
            f"{DIGITS_LIMIT:,}"
        )
    return int(text)


def _depth(text: str) -> int:
    """Return the depth of nesting outside strings; stop early where it is too deep."""
    depth = deepest = 0
    inside = escaped = False
    for char in text:
        if inside:
            inside = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char == '"':
            inside, escaped = True, False
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > DEPTH_LIMIT:
                return deepest
        elif char in "]}":
            depth -= 1
    return deepest


def _first_refusal(
    error: ValidationError, value: Any, cards: CardLookup | None
) -> Refused:
    """Return the first error; for an unknown field with a suggestion."""
    refusal, first = first_refusal(error), error.errors(include_url=False)[0]
    if first["type"] != "extra_forbidden":
        return refusal
    hint = suggest_field(first["loc"], value, cards)
    return Refused(refusal.message + hint, refusal.field)
