"""Laws of every part: its card is complete and its value survives JSON."""

import json

import pytest

from engine.catalogue import find_card
from engine.contract.cards import complete_knobs
from engine.contract.parts import Part
from engine.contract.registry import parts
from tests.laws.small import names

ALL = [part for part in parts() if part.name in names(part.slot)]


@pytest.mark.parametrize("part", ALL, ids=lambda p: f"{p.slot}-{p.name}")
def test_the_card_of_a_part_tells_everything(part: type[Part]) -> None:
    card = find_card(part.slot, part.name)
    assert card.title and card.summary and card.equation and card.helps
    assert card.source
    assert card.version >= 1
    for knob in card.knobs:
        assert knob.label and knob.help, knob.name
        if knob.kind in ("int", "float"):
            assert knob.low is not None and knob.high is not None, knob.name


@pytest.mark.parametrize("part", ALL, ids=lambda p: f"{p.slot}-{p.name}")
def test_completing_nothing_gives_the_defaults(part: type[Part]) -> None:
    card = find_card(part.slot, part.name)
    assert complete_knobs(card, {}) == part().model_dump(mode="json")


@pytest.mark.parametrize("part", ALL, ids=lambda p: f"{p.slot}-{p.name}")
def test_a_part_survives_json(part: type[Part]) -> None:
    text = part().model_dump_json()
    assert part.model_validate_json(text) == part()
    assert json.loads(part.model_validate_json(text).model_dump_json()) == json.loads(
        text
    )
