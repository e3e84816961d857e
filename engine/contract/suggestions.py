"""Suggestions for unknown fields of a spec and unknown names of parts."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, get_args

from pydantic import BaseModel

from engine.contract.cards import find_nearest_name, spellings
from engine.contract.errors import Refused, json_path
from engine.contract.run_spec import CardLookup, RunSpec
from engine.contract.text_decoding import clean

FieldPath = tuple[int | str, ...]
FEW = 5  # so many names are all listed where none is similar
_SLOTS = {
    **{name: name for name in ("family", "net", "estimator", "outer")},
    **{"test_families": "family", "shifts": "shift", "learners": "learner"},
}


def suggest_field(steps: FieldPath, value: Any, cards: CardLookup | None) -> str:
    """Return a hint on how to write an unknown field of a spec.

    Args:
        steps: The field's path, its own name last.
        value: The whole spec, as parsed JSON.
        cards: Gives the card of (slot, name), to suggest knobs, too.

    Returns:
        The end of an error message, beginning with "; "; empty without a suggestion.
    """
    *place, name = steps
    known = {field: field for field in _known_fields(tuple(place))}
    if cards is not None:
        known |= dict(_knob_spellings(tuple(place), value, cards))
    near = find_nearest_name(str(name), known)
    if near:
        return f"; did you mean {near!r}?"
    parts = [at for at, _, _ in _parts_of_spec(value) if at == tuple(place)]
    return f"; its knobs belong in {_path((*parts[0], 'knobs'))!r}" if parts else ""


def unknown_part_error(slot: str, name: str, names: Iterable[str]) -> Refused:
    """Return the error for a part that does not exist, with similar names.

    Args:
        slot: The slot.
        name: The unknown name.
        names: All names of parts of that slot.

    >>> unknown_part_error("net", "zzz", ["mlp", "conv4"]).message
    "no net is called 'zzz'; there are: conv4, mlp"
    >>> unknown_part_error("family", "mixture", ["mixtures"]).message.partition("; ")[2]
    "did you mean 'mixtures'? `python -m engine catalogue` shows all 1"
    """
    held = sorted(names)
    near = difflib.get_close_matches(name.lower(), held, 3, 0.7)
    every = f"`python -m engine catalogue` shows all {len(held)}"
    if not held:
        every = "none is registered yet; call engine.catalogue.discover_parts() first"
    elif near:
        every = f"did you mean {' or '.join(map(repr, near))}? {every}"
    elif len(held) <= FEW:
        every = f"there are: {', '.join(held)}"
    return Refused(f"no {slot} is called {clean(name)[:40]!r}; {every}", slot)


def _known_fields(place: FieldPath) -> list[str]:
    """Return the valid fields at a path of a spec."""
    model: type[BaseModel] = RunSpec
    for step in place:
        field = model.model_fields.get(str(step))
        model = (field and _nested_model(field.annotation)) or model
    return list(model.model_fields)


def _nested_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_nested_model(inner) for inner in get_args(annotation))
    return next(filter(None, found), None)


def _parts_of_spec(value: Any) -> Iterator[tuple[FieldPath, str, Mapping[str, Any]]]:
    """Yield the path, the slot and the JSON of each part of a spec."""
    spec = value if isinstance(value, dict) else {}
    for field, slot in _SLOTS.items():
        given = spec.get(field)
        several = enumerate(given) if isinstance(given, list) else ()
        for at, part in [((field,), given), *(((field, i), p) for i, p in several)]:
            if isinstance(part, dict):
                yield at, slot, part


def _knob_spellings(
    place: FieldPath, value: Any, cards: CardLookup
) -> Iterator[tuple[str, str]]:
    """Yield each spelling of the knobs at or below a path, with the knob's own path."""
    for at, slot, part in _parts_of_spec(value):
        if at[: len(place)] != place:
            continue
        with suppress(Refused):  # a part that is not there has no knobs
            card = cards(slot, str(part.get("name", "")))
            for spelling, name in spellings(card.knobs).items():
                yield spelling, _path((*at, "knobs", name))


def _path(steps: FieldPath) -> str:
    return json_path(".".join(map(str, steps)))
