"""A new kind of task is a record and one file per layer: no standing file is touched.

The toy's metrics are those of runs of optimizers, so whatever guesses the kind from
the numbers, or branches on the kinds that there are, takes it for one of those.
"""

import csv
import io
import json
from collections.abc import Iterator
from importlib import import_module

import pytest

from app.charts import CHARTS
from app.charts.chart_options import ViewState
from app.client.catalogue import Catalogue, parse_catalogue
from app.client.client import Run
from app.experiment import compatibility, derived_experiments, spec_mapping
from app.experiment.costs import COSTS
from engine.catalogue import all_cards
from engine.contract import registry
from engine.contract.cards import Card, card_of
from engine.contract.events import Artefact, Block
from engine.contract.kinds import KINDS, ByKind
from engine.contract.run_keys import run_key
from engine.contract.run_spec import Budget, RunSpec, complete_spec
from engine.export import RunRecord, comparison_csv, metrics_csv
from engine.judges import JUDGES
from engine.runner.films import FILM_RECORDERS
from engine.runner.loop import run
from engine.runner.memory_estimate import stage_needs
from engine.stats.block_table import BlockTable
from engine.stats.run_summary import summarize
from engine.stats.verdicts.kind_terms import TERMS
from tests.in_memory_run_cache import InMemoryRunCache
from tests.laws.toy.record import GUESSING

FILES = ("guessing.hidden_numbers", "from_the_mean", "baseline.from_zero")
LAYERS: tuple[ByKind[object], ...] = (JUDGES, FILM_RECORDERS, TERMS, CHARTS, COSTS)
SMALL = Budget(
    task_evaluations=40,
    tasks_per_step=4,
    validation_tasks=4,
    validate_every=2,
    test_tasks=6,
    horizon=4,
)


@pytest.fixture(scope="module")
def known() -> Iterator[Catalogue]:
    """Add the toy kind, and take it away again: other laws go over the registry."""
    every = [card.model_dump(mode="json") for card in all_cards()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, GUESSING.name, GUESSING)
        patch.setattr(registry, "_PARTS", dict(registry._PARTS))
        before = set(registry.parts())
        for file in FILES:
            import_module(f"tests.laws.toy.{file}")
        held = import_module("tests.laws.toy.layers").LAYERS
        for layer in LAYERS:
            patch.setitem(layer, GUESSING.name, held[layer.package])
        new = [card_of(each) for each in set(registry.parts()) - before]
        cards = [*every, *(card.model_dump(mode="json") for card in new)]
        body = {"cards": cards, "devices": ["cpu"], "engine": {}, "presets": []}
        yield parse_catalogue(json.dumps(body))


@pytest.fixture(scope="module")
def spec(known: Catalogue) -> RunSpec:
    """Return what the form makes of the kind's default experiment."""
    made_up = derived_experiments.default_experiment(known, GUESSING.name)
    asked = made_up.model_copy(update={"budget": SMALL, "replicates": 3, "seed": 5})
    form = spec_mapping.spec_to_form(complete_spec(asked, known.card, "cpu"))
    typed = spec_mapping.form_to_spec(form, known.card)
    return complete_spec(typed, known.card, "cpu")


@pytest.fixture(scope="module")
def record(known: Catalogue, spec: RunSpec) -> RunRecord:
    """Return the run of that spec, played to its end."""
    key = run_key(spec, known.card)
    return RunRecord.from_events(key, spec, run(spec, InMemoryRunCache()))


def test_the_toy_is_not_here_before_it_is_added() -> None:
    assert "hidden_numbers" not in {card.name for card in all_cards()}


def test_the_form_offers_the_kind_with_its_own_parts(
    known: Catalogue, spec: RunSpec
) -> None:
    assert compatibility.available_kinds(known)[-1] == "guessing"
    assert spec.kind == "guessing"
    roles = {entry.name: entry.role for entry in spec.learners}
    assert roles == {"from_the_mean": "chosen", "from_zero": "baseline"}
    assert compatibility.describe_misfit(known, spec) == ""


def test_a_learner_of_another_kind_does_not_fit(known: Catalogue) -> None:
    family = known.card("family", "hidden_numbers")
    cards: Iterator[Card] = known.cards_of("learner")
    fitting = {card.name for card in cards if compatibility.fits(known, card, family)}
    assert fitting == {"from_the_mean", "from_zero"}


def test_it_is_run_judged_and_filmed(record: RunRecord) -> None:
    assert {b.metric for b in record.blocks if b.phase == "test"} >= {
        "loss",
        "final_loss",
        "gradient_evaluations",
    }
    scores = [b for b in record.blocks if b.metric == "validation"]
    assert scores and {b.learner for b in scores} == {"from_the_mean"}
    assert [a.name for a in record.artefacts if a.kind == "film"] == ["film"]


def test_its_numbers_are_compared_by_its_own_criterion(record: RunRecord) -> None:
    table = BlockTable(record.blocks, record.spec.kind)
    assert table.kind is GUESSING and table.criterion is GUESSING.criteria[0]
    # The same blocks without the spec's kind pass for a run of optimizers.
    assert BlockTable(record.blocks).kind is KINDS["optimization"]


def test_its_summary_has_the_verdict_in_its_terms(record: RunRecord) -> None:
    found = summarize(record.blocks, record.spec)
    assert str(found["headline"]).startswith("From the mean is better than ")
    assert str(found["headline"]).endswith(" on hidden numbers.")
    assert "n = 3 replicates × 6 games" in str(found["sentence"])
    claims = found["claims"]
    assert isinstance(claims, list)
    assert {claim["metric"] for claim in claims} == {"final_loss"}


def test_it_is_exported_and_its_table_has_its_unit(record: RunRecord) -> None:
    rows = list(csv.DictReader(io.StringIO(comparison_csv(record).decode())))
    assert {row["learner"] for row in rows} == {"from_the_mean", "from_zero"}
    assert {(row["metric"], row["unit"]) for row in rows} == {("distance", "steps")}
    assert b"final_loss" in metrics_csv(record)


def test_it_is_charted_and_its_cost_is_estimated(
    record: RunRecord, spec: RunSpec
) -> None:
    blocks: tuple[Block, ...] = tuple(record.blocks)
    films: dict[str, Artefact] = {"film": record.artefacts[0]}
    shown = Run(record.key, spec, blocks, films=films, is_recorded=True)
    assert shown.kind is GUESSING
    (picture,) = CHARTS[shown.kind.name].main_charts(shown, ViewState())
    assert picture.name == "distance"
    assert {line.name for line in picture.figure.data if line.name}
    assert COSTS[shown.kind.name].estimate_cost(spec) == 3 * 2 * 6


def test_its_memory_is_estimated_before_it_starts(spec: RunSpec) -> None:
    found = list(stage_needs(spec))
    assert {need.stage for need in found} >= {"training", "validation", "test"}
    assert all(need.total > 0 for need in found)
