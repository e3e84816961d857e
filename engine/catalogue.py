"""The catalogue: a card for every part, found by importing every parts folder."""

import importlib
from functools import cache
from typing import Any

from engine.contract import registry
from engine.contract.cards import Card, card_of
from engine.contract.registration import SLOTS
from engine.device import devices, versions
from engine.presets import PRESETS
from engine.studies import studies


def catalogue() -> dict[str, Any]:
    """Describe what can be chosen.

    Returns:
        JSON: `cards`, `devices` (the preferred one first), the `engine`'s versions,
        the `presets` and the `studies`.
    """
    return {
        "cards": [card.model_dump(mode="json") for card in all_cards()],
        "devices": devices(),
        "engine": {"versions": versions()},
        "presets": [preset.as_json() for preset in PRESETS],
        "studies": [study.as_json() for study in studies()],
    }


def all_cards() -> list[Card]:
    """Return the card of every part."""
    discover_parts()
    return [find_card(part.slot, part.name) for part in registry.parts()]


@cache
def find_card(slot: str, name: str) -> Card:
    """Return the card of a part.

    Args:
        slot: Where the part belongs: learner, net, family, …
        name: Its registered name.

    Raises:
        Refused: If there is none; the message lists what there is.
    """
    discover_parts()
    return card_of(registry.part(slot, name))


@cache
def discover_parts() -> None:
    """Import every folder of parts, once, so that its parts register."""
    for room in SLOTS.values():
        registry.import_modules(importlib.import_module(f"engine.{room}"))
