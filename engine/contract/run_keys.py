"""The keys of run specs: the same spec gives the same numbers, stored under one key."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from engine.contract.cards import Card
from engine.contract.run_spec import CardLookup, RunSpec, canonical_json

KEYS_LIMIT = 4_096  # combinations of earlier versions that are tried


def run_key(spec: RunSpec, cards: CardLookup) -> str:
    """Return the key that a completed spec's results are stored under.

    It covers the parts' versions, as a changed algorithm is another run, the source of
    a part that a notebook defines, and `compile` if set: eager runs keep the keys from
    before that field existed.

    Args:
        spec: A completed spec.
        cards: Gives the card of (slot, name), for its version.

    Returns:
        The sha256 of the canonical JSON, 64 hex digits.
    """
    apart = {"kind"} if spec.compile else {"kind", "compile"}
    body = spec.model_dump(mode="json", exclude=apart)
    versions: dict[str, int | str] = {}
    for slot, choice in _choices(body):
        card = cards(slot, choice["name"])
        own = f"{card.version} of {card.own_source}"
        versions[f"{slot}/{card.name}"] = own if card.own_source else card.version
        choice["knobs"] = _older_knobs(card, choice["knobs"])
    # by run and artefact alone: the run's key covers the spec that made it
    body["inputs"] = {
        label: [entry["run"], entry["artefact"]]
        for label, entry in body["inputs"].items()
    }
    return hashlib.sha256(
        canonical_json({"spec": body, "versions": versions})
    ).hexdigest()


def _choices(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every part of a dumped spec with its slot."""
    for slot in ("family", "net", "estimator", "outer"):
        yield slot, body[slot]
    for several in ("test_families", "shifts", "learners"):
        slot = "family" if several == "test_families" else several.removesuffix("s")
        for choice in body[several]:
            yield slot, choice


def _older_knobs(card: Card, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the knobs without newer ones at the value that all earlier runs had.

    The numbers are the same, so the key stays what it was before the knob existed.
    """
    before = {knob.name: knob.before for knob in card.knobs if knob.before is not None}
    return {
        name: v for name, v in knobs.items() if name not in before or before[name] != v
    }


def earlier_keys(spec: RunSpec, cards: CardLookup) -> Iterator[str]:
    """Yield the keys of a spec for all combinations of its parts' versions so far.

    Args:
        spec: A completed spec.
        cards: Gives the card of (slot, name), with today's version.

    Raises:
        Refused: If a part does not exist here.
    """
    chosen = {("family", c.name) for c in (spec.family, *spec.test_families)}
    chosen |= {("shift", c.name) for c in spec.shifts}
    chosen |= {("learner", c.name) for c in spec.learners}
    chosen |= {(s, getattr(spec, s).name) for s in ("net", "estimator", "outer")}
    here = {of: cards(*of) for of in sorted(chosen)}
    each = (range(1, card.version + 1) for card in here.values())
    for versions in itertools.islice(itertools.product(*each), KEYS_LIMIT):
        then = {
            of: card.model_copy(update={"version": version})
            for (of, card), version in zip(here.items(), versions, strict=True)
        }
        yield run_key(spec, partial(_card_from, then))


def _card_from(cards: Mapping[tuple[str, str], Card], slot: str, name: str) -> Card:
    return cards[slot, name]
