"""A kind of task has one name; what older releases called it still opens."""

from pathlib import Path

import pytest

from app import kinds as screen
from app import url_parameters
from app.client import examples
from engine.catalogue import all_cards
from engine.contract.errors import Refused
from engine.contract.kinds import KINDS, OLD_NAMES, current_name
from engine.contract.runs import Choice, LearnerChoice, RunSpec
from engine.executors.local import settled
from engine.judges import JUDGES
from engine.presets import PRESETS, preset
from engine.runner.films import FILMS

ROOT = Path(__file__).resolve().parents[2]


def test_every_part_solves_kinds_that_there_are() -> None:
    solved = {kind for card in all_cards() for kind in card.solves}
    assert solved == KINDS.keys()


def test_a_family_is_of_the_kind_that_its_folder_is_called_after() -> None:
    families = [card for card in all_cards() if card.slot == "family"]
    assert families
    assert [c.name for c in families if c.traits["kind"] != c.group] == []


def test_whatever_goes_by_kind_has_every_kind() -> None:
    for held in (JUDGES, FILMS, screen.KINDS, examples.PRESETS):
        assert held.keys() == KINDS.keys()


def test_the_judge_and_the_screen_go_by_the_same_metrics() -> None:
    for name, kind in KINDS.items():
        metrics = (kind.validation, kind.tuning)
        assert (JUDGES[name].validation, JUDGES[name].tuning) == metrics
        assert (screen.KINDS[name].validation, screen.KINDS[name].tuning) == metrics


def test_every_kind_ships_a_recorded_run_of_its_own() -> None:
    held = {path.stem for path in (ROOT / "app" / "recorded").glob("*.zip")}
    assert held == KINDS.keys()


@pytest.mark.parametrize("old", OLD_NAMES)
def test_an_old_name_is_understood_and_never_given(old: str) -> None:
    now = {*KINDS, *(each.name for each in PRESETS), *url_parameters.VIEW}
    assert old not in now
    assert current_name(old) in now


def test_a_preset_opens_under_its_old_name() -> None:
    assert preset("fewshot") is preset("few_shot")


def test_the_screen_takes_a_kind_by_its_old_name() -> None:
    assert screen.kind("spaces") is screen.SEARCH


def test_a_refusal_names_a_kind_in_words() -> None:
    learner = LearnerChoice(name="maml")
    spec = RunSpec(family=Choice(name="moons"), learners=(learner,))
    with pytest.raises(Refused, match="moons is an optimizer family"):
        settled(spec, "cpu")
