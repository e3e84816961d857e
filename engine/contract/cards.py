"""Cards: parts described as data for the pages."""

import difflib
import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict

from engine.contract.errors import PartRefused, Refused
from engine.contract.knobs import KnobCard, KnobKind, check_knob, explain_wrong_range
from engine.contract.parts import Part
from engine.contract.text_decoding import clean

_NEAR = 0.7  # with difflib's default of 0.6, "learning_rte" would match "learners"


class Card(BaseModel):
    """One part as data, all that a page knows of it.

    `traits` are class-level fields of the part as JSON, by name; `missing` names the
    data file that the part needs and lacks; `code` is the source of its module;
    `own_source` is the digest of that source where a notebook defines the part.
    """

    model_config = ConfigDict(frozen=True)

    slot: str
    name: str
    group: str
    title: str
    summary: str
    equation: str
    source: str
    differs: str
    helps: str
    version: int
    solves: tuple[str, ...]
    traits: dict[str, Any]
    knobs: tuple[KnobCard, ...]
    short: str = ""
    hue: str = ""
    tuned_hue: str = ""
    missing: str = ""
    code: str = ""
    own_source: str = ""


def card_of(part: type[Part]) -> Card:
    """Return the card of a registered part, read from its class and docstrings.

    Raises:
        Refused: If the docstrings lack a title, a summary or an equation, or a knob
            has a wrong range or a type that the form has no widget for.
    """
    module = inspect.getmodule(part)
    text = inspect.cleandoc((module and module.__doc__) or "")
    head, _, _ = text.partition("\n")
    title, colon, summary = head.partition(": ")
    equation = inspect.cleandoc(part.__doc__ or "").partition("\n\n")[0]
    if not (title and colon and equation):
        lacking = (
            "its class has no docstring; begin it with the equation"
            if title and colon
            else "its first line must read 'Title: summary.'"
        )
        raise PartRefused(f"{part.__module__}: {lacking}", part.slot)
    return Card(
        slot=part.slot,
        name=part.name,
        group=part.__module__.split(".")[-2],
        title=title,
        short=part.short or title,
        hue=part.hue,
        tuned_hue=part.tuned_hue,
        summary=summary,
        equation=" ".join(equation.split()),
        source=_paragraph(text, "Source"),
        differs=_paragraph(text, "Differs"),
        helps=_paragraph(text, "Helps"),
        version=part.version,
        solves=tuple(sorted(part.solves)),
        traits={name: _as_json_value(getattr(part, name)) for name in part.traits},
        knobs=tuple(_knob_card(name, part) for name in part.model_fields),
        missing=getattr(part, "missing_file", lambda: "")(),
        code=inspect.getsource(module) if module else "",
        own_source=part.own_source,
    )


def card_for_family(card: Card, family: Card) -> Card:
    """Return a card with the defaults that suit a task family.

    A knob that `follows` a trait has its default multiplied by the family's value, or
    replaced where that is a text.

    Args:
        card: The card of a learner, a net or an outer rule.
        family: The card of the family.

    >>> rate = KnobCard(
    ...     name="lr", kind="float", default=0.3, label="", help="", follows="rate"
    ... )
    >>> def card(**fields):
    ...     blank = dict.fromkeys(("slot", "name", "group", "title", "summary"), "")
    ...     blank |= dict.fromkeys(("equation", "source", "differs", "helps"), "")
    ...     return Card(**(blank | {"version": 1, "solves": ()} | fields))
    >>> calm = card(traits={"rate": 0.1}, knobs=())
    >>> round(card_for_family(card(traits={}, knobs=(rate,)), calm).knobs[0].default, 6)
    0.03
    """
    knobs = tuple(_knob_for_family(knob, family.traits) for knob in card.knobs)
    return card.model_copy(update={"knobs": knobs})


def _knob_for_family(knob: KnobCard, traits: Mapping[str, Any]) -> KnobCard:
    factor = traits.get(knob.follows, 1.0) if knob.follows else 1.0
    if isinstance(factor, str):
        return knob.model_copy(update={"default": factor})
    if factor == 1.0:
        return knob
    # three digits, so that the form shows 0.03 and not 0.030000000000000002
    return knob.model_copy(update={"default": float(f"{knob.default * factor:.3g}")})


def complete_knobs(card: Card, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """Return all knobs of a part: checked, of the right type, defaults filled in.

    Args:
        card: The part's card.
        knobs: Values by knob name; missing ones take their default, or the value of
            earlier runs in a spec that was completed before the knob existed.

    Returns:
        The value of every knob, in the card's order; `1` becomes `1.0` for floats.

    Raises:
        Refused: For an unknown name (the message suggests the nearest one) or a value
            that its knob does not allow.
    """
    known = {knob.name: knob for knob in card.knobs}
    for name in knobs:
        if name not in known:
            near = find_nearest_name(name, spellings(card.knobs))
            have = f"; it has {', '.join(known)}" if known else ""
            hint = f"; did you mean {near!r}?" if near else have
            raise Refused(f"{card.title} has no knob {clean(name)[:40]!r}{hint}", name)
    # A spec that gives every other knob was completed before the newer ones existed.
    old = bool(knobs) and all(
        k.before is not None or k.name in knobs for k in card.knobs
    )
    usual = {
        k.name: k.before if old and k.before is not None else k.default
        for k in card.knobs
    }
    return {
        name: check_knob(knob, knobs.get(name, usual[name]))
        for name, knob in known.items()
    }


def find_nearest_name(name: str, known: Mapping[str, str]) -> str:
    """Return the suggestion for a misspelled name.

    Args:
        name: What was typed.
        known: Suggestions by each of their spellings.

    Returns:
        The suggestion; empty where no spelling is similar.

    >>> find_nearest_name("Learning_rte", {"lr": "lr", "learning_rate": "lr"})
    'lr'
    """
    near = difflib.get_close_matches(_to_slug(name), known, 1, _NEAR)
    return known[near[0]] if near else ""


def spellings(knobs: Iterable[KnobCard]) -> dict[str, str]:
    """Return the names of knobs by their spellings: the name itself and the label."""
    held = tuple(knobs)
    # names last: where a label reads like another knob's name, the name wins
    labels = {_to_slug(knob.label): knob.name for knob in held}
    return labels | {knob.name: knob.name for knob in held}


def _to_slug(text: str) -> str:
    return "_".join(re.findall(r"[a-z0-9]+", text.lower()))


def _knob_card(name: str, part: type[Part]) -> KnobCard:
    field = part.model_fields[name]
    extra = field.json_schema_extra
    bounds = {type(m).__name__: m for m in field.metadata}
    try:
        kind, choices = _knob_kind(field.annotation)
    except (KeyError, IndexError, TypeError):
        raise PartRefused(
            f"{part.__module__}: knob {name} has a type without a form widget; use "
            "bool, int, float, str, Literal[…] or tuple[Literal[…], ...]",
            name,
        ) from None
    low = bounds.get("Ge")
    high = bounds.get("Le")
    card = KnobCard(
        name=name,
        kind=kind,
        default=_as_json_value(field.default),
        label=field.title or name,
        help=field.description or "",
        low=getattr(low, "ge", None),
        high=getattr(high, "le", None),
        choices=choices,
        **(extra if isinstance(extra, dict) else {}),
    )
    # Here, not in `knob`, which does not know the knob's name.
    if wrong := explain_wrong_range(card):
        raise PartRefused(f"{part.__module__}: {wrong}", name)
    return card


def _knob_kind(annotation: Any) -> tuple[KnobKind, tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", get_args(annotation)
    if get_origin(annotation) is tuple:
        return "many", get_args(get_args(annotation)[0])
    names: dict[Any, KnobKind] = {bool: "bool", int: "int", float: "float", str: "text"}
    return names[annotation], ()


def _as_json_value(value: Any) -> Any:
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


def _paragraph(text: str, head: str) -> str:
    found = re.search(rf"^{head}: (.+?)(?=^[A-Z]\w+: |^\s*$|\Z)", text, re.M | re.S)
    return " ".join(found.group(1).split()) if found else ""
