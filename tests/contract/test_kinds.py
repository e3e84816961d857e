"""A kind of task has one name; what older releases called it still opens."""

from pathlib import Path

import pytest

from app import url_checks
from app.charts import CHARTS
from app.experiment.costs import COSTS
from app.views.run.kind_view import VIEWS
from engine.catalogue import all_cards, find_card
from engine.contract.errors import Refused
from engine.contract.kinds import (
    KINDS,
    OLD_NAMES,
    SEARCH,
    ByKind,
    current_name,
    kind_named,
    recorded_kind,
)
from engine.contract.metrics import METRICS
from engine.contract.run_keys import run_key
from engine.contract.run_spec import Choice, LearnerChoice, RunSpec, complete_spec
from engine.executors.in_process import settle_spec
from engine.judges import JUDGES
from engine.presets import PRESETS, preset
from engine.runner.films import FILM_RECORDERS
from engine.stats.verdicts.kind_terms import TERMS

ROOT = Path(__file__).resolve().parents[2]


def test_every_part_solves_kinds_that_there_are() -> None:
    solved = {kind for card in all_cards() for kind in card.solves}
    assert solved == KINDS.keys()


def test_a_family_is_of_the_kind_that_its_folder_is_called_after() -> None:
    families = [card for card in all_cards() if card.slot == "family"]
    assert families
    assert [c.name for c in families if c.traits["kind"] != c.group] == []


LAYERS = (JUDGES, FILM_RECORDERS, TERMS, COSTS, CHARTS, VIEWS)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.package)
def test_every_layer_has_a_file_for_every_kind(layer: ByKind[object]) -> None:
    assert all(layer[kind] for kind in KINDS)


def test_a_kind_without_a_file_is_refused_with_the_file_to_write() -> None:
    with pytest.raises(LookupError, match=r"write engine\.judges\.juggling"):
        JUDGES["juggling"]


def test_a_file_that_enters_nothing_is_named() -> None:
    layer: ByKind[object] = ByKind("engine.contract.kinds")
    with pytest.raises(LookupError, match=r"engine\.contract\.kinds\.search enters"):
        layer["search"]


def test_a_record_names_metrics_that_there_are() -> None:
    for kind in KINDS.values():
        shown = kind.metrics
        named = {shown.validation, shown.tuning, *shown.traces, *shown.checks}
        named |= {*shown.training, *shown.per_task, *shown.by_severity, *shown.curves}
        named |= {*shown.numbers, *shown.by_family, *shown.scores, *shown.percent}
        for criterion in kind.criteria:
            named |= {criterion.deciding, criterion.trace, *criterion.shown}
            named |= {criterion.reported, *criterion.margin}
        assert named - {"rmst"} <= METRICS.keys()


def test_a_completed_spec_says_its_kind_and_keeps_its_key() -> None:
    for each in PRESETS:
        spec = complete_spec(each.spec, find_card, "cpu")
        assert spec.kind == find_card("family", spec.family.name).traits["kind"]
        silent = spec.model_copy(update={"kind": ""})
        assert run_key(spec, find_card) == run_key(silent, find_card)
        assert "kind" not in silent.model_dump(mode="json")


def test_a_spec_of_another_kind_than_its_family_is_refused() -> None:
    spec = preset("smoke").spec.model_copy(update={"kind": "search"})
    with pytest.raises(Refused, match="draws tasks of the kind 'optimization'"):
        complete_spec(spec, find_card, "cpu")


@pytest.mark.parametrize(
    ("metrics", "kind"),
    [
        ([], ""),
        (["validation"], "optimization"),
        (["validation_error"], "few_shot"),
        (["query_mse"], "few_shot"),
        (["lesson_loss", "validation_regret"], "search"),
    ],
)
def test_an_old_run_is_described_by_its_numbers(metrics: list[str], kind: str) -> None:
    assert recorded_kind(metrics) == kind


def test_every_kind_ships_a_recorded_run_of_its_own() -> None:
    held = {path.stem for path in (ROOT / "app" / "recorded").glob("*.zip")}
    assert held == KINDS.keys()


@pytest.mark.parametrize("old", OLD_NAMES)
def test_an_old_name_is_understood_and_never_given(old: str) -> None:
    now = {*KINDS, *(each.name for each in PRESETS), *url_checks.VIEW}
    assert old not in now
    assert current_name(old) in now


def test_a_preset_opens_under_its_old_name() -> None:
    assert preset("fewshot") is preset("few_shot")


def test_the_screen_takes_a_kind_by_its_old_name() -> None:
    assert kind_named("spaces") is SEARCH


def test_a_refusal_names_a_kind_by_its_title() -> None:
    learner = LearnerChoice(name="maml")
    spec = RunSpec(family=Choice(name="moons"), learners=(learner,))
    with pytest.raises(Refused, match="moons is an optimizer family"):
        settle_spec(spec, "cpu")
