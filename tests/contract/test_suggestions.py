"""A misspelled field is told by its path, and compared with what may stand there."""

import json
from typing import Any

import pytest

from engine.catalogue import catalogue, find_card
from engine.contract.cards import Card, complete_knobs
from engine.contract.errors import PartRefused, Refused
from engine.contract.parsing import parse_spec
from engine.contract.registry import part
from engine.contract.run_spec import complete_spec

CARDS = [Card.model_validate(card) for card in catalogue()["cards"]]


def spec(**changes: Any) -> str:
    learners = [{"name": "lr_scale"}, {"name": "sgd"}]
    return json.dumps({"family": {"name": "mixtures"}, "learners": learners} | changes)


def refusal(text: str, *, known: bool = True) -> str:
    with pytest.raises(Refused) as caught:
        complete_spec(parse_spec(text, find_card if known else None), find_card, "cpu")
    return caught.value.message


def test_a_knob_is_compared_with_the_knobs_of_its_part_and_their_labels() -> None:
    second = {"name": "sgd", "knobs": {"learning_rte": 0.1}}
    told = refusal(spec(learners=[{"name": "lr_scale"}, second]))
    assert told.startswith("learners[1].knobs.learning_rte: ")
    assert told.endswith("; did you mean 'lr'?")


def test_a_knob_that_resembles_none_is_refused_with_the_list_of_knobs() -> None:
    told = refusal(spec(learners=[{"name": "sgd", "knobs": {"zzz": 1}}]))
    assert told.startswith("learners[0].knobs.zzz: ")
    assert "; it has lr" in told


@pytest.mark.parametrize(
    "text",
    [
        spec(learners=[{"name": "lr_scale"}, {"name": "sgd", "learning_rte": 0.1}]),
        spec(learners=[{"name": "maml"}, {"name": "sgd"}], learning_rte=0.1),
    ],
)
def test_a_knob_at_the_wrong_level_is_refused_with_where_it_belongs(text: str) -> None:
    told = refusal(text)
    assert "did you mean 'learners[1].knobs.lr'?" in told
    assert "'learners'" not in told


def test_a_knob_at_the_wrong_level_is_refused_even_if_its_part_is_unknown() -> None:
    told = refusal(spec(learners=[{"name": "sgd", "rate": 0.1}]), known=False)
    assert told.startswith("learners[0].rate: no such field; ")
    assert "'learners[0].knobs'" in told


@pytest.mark.parametrize(
    ("changes", "place", "offered"),
    [
        ({"lerners": []}, "lerners", "learners"),
        ({"budget": {"horizn": 5}}, "budget.horizn", "horizon"),
        ({"family": {"name": "mixtures", "knob": {}}}, "family.knob", "knobs"),
        ({"learners": [{"name": "sgd", "rol": "x"}]}, "learners[0].rol", "role"),
    ],
)
def test_a_field_is_compared_with_those_of_its_own_place(
    changes: dict[str, Any], place: str, offered: str
) -> None:
    told = refusal(spec(**changes))
    assert told.startswith(f"{place}: no such field; did you mean {offered!r}?")


def test_an_unknown_part_is_refused_with_its_path() -> None:
    told = refusal(spec(learners=[{"name": "sgd"}, {"name": "smgd"}]))
    assert told.startswith("learners[1].name: no learner is called 'smgd'")


def test_every_part_offers_a_knob_whose_last_letter_was_left_out() -> None:
    tried = 0
    for card in CARDS:
        names = {knob.name for knob in card.knobs}
        for name in names:
            if len(name) < 5 or name[:-1] in names:
                continue
            with pytest.raises(Refused, match="did you mean") as caught:
                complete_knobs(card, {name[:-1]: 1})
            assert caught.value.message.split("'")[-2] in names, card.name
            tried += 1
    assert tried > 100


def test_a_part_that_is_looked_up_before_discovery_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.contract.registry._PARTS", {})
    with pytest.raises(Refused, match=r"call engine.catalogue.discover_parts\(\)"):
        part("learner", "sgd")


@pytest.mark.parametrize("slot", ["family", "shift"])
def test_a_part_whose_file_is_wrong_is_told_without_a_field_of_the_spec(
    slot: str,
) -> None:
    told = "engine.shifts.mine: version is not declared"

    def cards(of: str, name: str) -> Card:
        if of == slot:
            raise PartRefused(told)
        return find_card(of, name)

    asked = parse_spec(spec(shifts=[{"name": "stretch"}]))
    with pytest.raises(PartRefused) as caught:
        complete_spec(asked, cards, "cpu")
    assert caught.value.message == told
