"""The keys of run specs: the same spec gives the same numbers, stored under one key."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from functools import partial

from engine.contract.cards import Card
from engine.contract.run_spec import CardLookup, RunSpec, canonical_json

KEYS_LIMIT = 4_096  # combinations of earlier versions that are tried


def run_key(spec: RunSpec, cards: CardLookup) -> str:
    """Return the key that a completed spec's results are stored under.

    It covers the parts' versions, as a changed algorithm is another run, and `compile`
    if set: eager runs keep the keys from before that field existed.

    Args:
        spec: A completed spec.
        cards: Gives the card of (slot, name), for its version.

    Returns:
        The sha256 of the canonical JSON, 64 hex digits.
    """
    chosen = [
        ("family", spec.family),
        *(("family", choice) for choice in spec.test_families),
        *(("shift", choice) for choice in spec.shifts),
        *(("learner", choice) for choice in spec.learners),
        ("net", spec.net),
        ("estimator", spec.estimator),
        ("outer", spec.outer),
    ]
    versions = {f"{s}/{c.name}": cards(s, c.name).version for s, c in chosen}
    apart = {"kind"} if spec.compile else {"kind", "compile"}
    body = spec.model_dump(mode="json", exclude=apart)
    # by run and artefact alone: the run's key covers the spec that made it
    body["inputs"] = {
        label: [entry["run"], entry["artefact"]]
        for label, entry in body["inputs"].items()
    }
    return hashlib.sha256(
        canonical_json({"spec": body, "versions": versions})
    ).hexdigest()


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
