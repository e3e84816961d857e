"""Estimates of time: work from every field, speeds from runs that ended."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from app.client import client, process_store
from app.client.catalogue import Catalogue
from app.experiment import cost_estimate, ready_baselines, timed_runs
from app.experiment.cost_estimate import Duration, describe_cost, estimate_duration
from app.experiment.costs import stages, with_replicates
from app.experiment.speeds import NOISE, SHARED, Speeds, TimedStage, Traits
from app.experiment.timed_runs import shipped_runs, timed_stages
from engine.contract import kinds
from engine.contract.cards import Card
from engine.contract.events import Timing
from engine.contract.jobs import Job, JobState
from engine.contract.knobs import KnobCard
from engine.contract.run_spec import (
    Choice,
    LearnerChoice,
    RunSpec,
    ShiftChoice,
    complete_spec,
)
from engine.presets import preset
from engine.runner.baseline_tuning import tuning_spec

PRESET = {
    "optimization": "default",
    "few_shot": "few_shot",
    "rl": "cartpole",
    "search": "search",
}
# More of these leave the work of training as it is, and make fewer meta-steps of it.
SPLITS = ("members", "window")


@pytest.fixture(autouse=True)
def catalogue(monkeypatch: pytest.MonkeyPatch, known: Catalogue) -> Catalogue:
    monkeypatch.setattr(client, "catalogue", lambda: known)
    return known


def completed(known: Catalogue, kind: str, **changes: object) -> RunSpec:
    spec = preset(PRESET[kind]).spec.model_copy(update={"replicates": 4, "looks": ()})
    return complete_spec(spec.model_copy(update=changes), known.card, "cpu")


def total_work(spec: RunSpec) -> float:
    return sum(stage.work for stage in stages(spec, spec.kind))


def with_budget(spec: RunSpec, **fields: int) -> RunSpec:
    budget = spec.budget.model_copy(update=fields)
    return spec.model_copy(update={"budget": budget})


@pytest.mark.parametrize("kind", kinds.KINDS)
@pytest.mark.parametrize(
    "field",
    ["task_evaluations", "validation_tasks", "test_tasks", "horizon", "tuning_tasks"],
)
def test_a_larger_budget_takes_longer(
    catalogue: Catalogue, kind: str, field: str
) -> None:
    if kind == "search" and field == "tuning_tasks":
        return  # no search strategy is tuned
    learner = LearnerChoice(name="maml", label="maml", knobs={"inner_steps": 1})
    changes = {"learners": (learner, *preset("few_shot").spec.learners[1:])}
    spec = completed(catalogue, kind, **(changes if kind == "few_shot" else {}))
    # A horizon below a learner's own steps changes nothing that it computes.
    small = with_budget(spec, **{field: max(8, getattr(spec.budget, field))})
    large = with_budget(small, **{field: 8 * getattr(small.budget, field)})
    assert total_work(small) < total_work(large)


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_more_replicates_learners_and_conditions_take_longer(
    catalogue: Catalogue, kind: str
) -> None:
    spec = completed(catalogue, kind, shifts=())
    more = spec.learners[0].model_copy(update={"label": "again"})
    shift = ShiftChoice(
        name=preset(PRESET[kind]).spec.shifts[0].name, severities=(1.0,)
    )
    wider = (
        with_replicates(spec, 8),
        spec.model_copy(update={"learners": (*spec.learners, more)}),
        spec.model_copy(update={"shifts": (shift,)}),
        spec.model_copy(update={"test_families": (spec.family,)}),
    )
    assert all(total_work(each) > total_work(spec) for each in wider)


def knobs_with_work(known: Catalogue, slot: str) -> list[tuple[Card, KnobCard]]:
    return [(c, k) for c in known.cards_of(slot) for k in c.knobs if k.work]


def spec_of_part(known: Catalogue, card: Card, value: object, knob: str) -> RunSpec:
    """A run of the part's kind of task in which the part has a role."""
    kind = card.traits.get("kind") or next(iter(card.solves), "few_shot")
    if card.slot == "net":
        kind = "few_shot"
    choice = {"name": card.name, "knobs": {knob: value}}
    if card.slot == "learner":
        learner = LearnerChoice(**choice, label=card.name)
        return completed(known, str(kind), learners=(learner,), shifts=())
    spec = completed(known, str(kind), shifts=())
    changed = complete_spec(
        RunSpec(
            family=Choice(**choice) if card.slot == "family" else spec.family,
            learners=spec.learners,
            net=Choice(**choice) if card.slot == "net" else spec.net,
            estimator=Choice(**choice) if card.slot == "estimator" else spec.estimator,
            budget=spec.budget,
        ),
        known.card,
        "cpu",
    )
    return changed


@pytest.mark.parametrize("slot", ["family", "learner", "net", "estimator"])
def test_more_of_what_a_knob_counts_takes_longer(
    catalogue: Catalogue, slot: str
) -> None:
    wrong = []
    for card, knob in knobs_with_work(catalogue, slot):
        if knob.kind == "choice":
            low, high = sorted(knob.choices, key=float)[:2]
        else:
            # An unroll is never longer than the horizon, nor are there more updates.
            usual = int(knob.default)
            usual = min(2, usual) if knob.work in ("window", "steps") else usual
            low = max(int(knob.low or 0), usual, 1)
            high = min(int(knob.high or 1e9), 12 * low)
        works = [
            total_work(spec_of_part(catalogue, card, value, knob.name))
            for value in (low, high)
        ]
        less, more = works if knob.work not in SPLITS else works[::-1]
        if less >= more:
            wrong.append((card.name, knob.name, *works))
    assert not wrong


def test_the_numbers_of_shipped_parts_are_counted(catalogue: Catalogue) -> None:
    """Names that always cost time; a part that has one says how in its card."""
    named = {"inner_steps", "examples", "shots", "width", "depth", "pairs", "unroll"}
    for card in catalogue.cards.values():
        for knob in card.knobs:
            if knob.name in named and knob.kind == "int" and card.slot != "shift":
                assert knob.work, (card.name, knob.name)


HERE = Traits("here", "few_shot", "train", "maml", "sinusoids", "mlp", "", "")


def test_a_speed_is_the_posterior_mean_of_its_runs() -> None:
    """With one kind of stage the process is a normal mean, known in closed form."""
    took = np.array([4.0, 5.0, 7.0])
    other = HERE._replace(machine="reference", kind="search", sort="test", run="x")
    other = other._replace(learner="x", family="y", net="z")
    own = [TimedStage(HERE, seconds, 10.0) for seconds in took]
    speeds = Speeds([*own, TimedStage(other, 5.0, 10.0)])
    mean, covariance = speeds.predict([HERE])
    shared = sum(v for fields, v in SHARED.items() if fields != ("sort", "estimator"))
    logs = np.log((took + 0.02) / 10.0)
    center = (logs.sum() + math.log(5.02 / 10.0)) / 4
    prior, noise = shared + SHARED["sort", "estimator"], NOISE
    expected = center + (logs - center).mean() * prior / (prior + noise / 3)
    assert mean[0] == pytest.approx(expected, abs=2e-3)
    assert covariance[0, 0] == pytest.approx(prior * noise / (3 * prior + noise), 0.1)


def test_own_runs_narrow_the_range_of_their_kind_and_move_the_others() -> None:
    shipped = [
        TimedStage(HERE._replace(machine="reference", learner=name), 2.0, 10.0)
        for name in ("maml", "reptile")
    ]
    own = [TimedStage(HERE, 6.0, 10.0)]
    before, after = Speeds(shipped), Speeds([*shipped, *own])
    for learner in ("maml", "reptile"):
        asked = [HERE._replace(learner=learner)]
        (slow, wide), (slower, narrow) = before.predict(asked), after.predict(asked)
        assert slower[0] > slow[0] + 0.3  # this machine is three times slower
        assert narrow[0, 0] < wide[0, 0]


def test_shipped_runs_predict_each_other(catalogue: Catalogue) -> None:
    """Each preset, from the runs of all other presets."""
    ratios, inside = [], []
    rows = json.loads(timed_runs.SHIPPED.read_text())
    runs = []
    for row in rows:
        spec = complete_spec(RunSpec.model_validate(row["spec"]), catalogue.card, "cpu")
        timings = [Timing(*each) for each in row["timings"]]
        found = timed_stages(spec, timings, row["seconds"], "here cpu", str(len(runs)))
        runs.append((spec, found, row["seconds"]))
    assert sum(len(found) for _, found, _ in runs) == len(shipped_runs())
    for spec, held_out, seconds in runs[::4]:
        rest = [each for _, found, _ in runs if found is not held_out for each in found]
        kind = kinds.kind_named(spec.kind)
        guess = cost_estimate.predict_duration(Speeds(rest), spec, kind)
        ratios.append(abs(math.log(guess.middle / seconds)))
        inside.append(guess.low <= seconds <= guess.high)
    assert np.mean(np.array(ratios) < math.log(2)) >= 0.6
    assert np.mean(inside) >= 0.6


def store_with_run(
    monkeypatch: pytest.MonkeyPatch, spec: RunSpec, took: float, replicates: int = 0
) -> None:
    """Let the store hold one run that ended, timed as a whole."""
    done = [Job("past", JobState.DONE, "", 0.0, started=0.0, finished=took, attempt=1)]
    held = SimpleNamespace(
        home=Path(str(id(done))),
        jobs=lambda *_, **__: done,
        job={"past": done[0]}.get,
        jobs_by_key=lambda keys: {},
        spec=lambda key: spec,
        timings=lambda key: [],
        summary=lambda key: {"replicates": replicates},
    )
    monkeypatch.setattr(process_store, "shared_store", lambda: held)


def test_a_machine_without_runs_says_so(
    monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue
) -> None:
    held = SimpleNamespace(
        home=Path("empty"), jobs=lambda *_, **__: [], jobs_by_key=lambda keys: {}
    )
    monkeypatch.setattr(process_store, "shared_store", lambda: held)
    found = estimate_duration(completed(catalogue, "few_shot"))
    assert found.runs == 0
    assert found.first.high > 2 * found.first.low
    assert "no run has ended" in cost_estimate.explain_estimate(found, "")


def test_a_run_that_was_decided_early_is_timed_by_what_it_computed(
    monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue
) -> None:
    spec = completed(catalogue, "search", replicates=24, looks=(8, 16, 24))
    speeds = {}
    for replicates in (8, 24):
        store_with_run(monkeypatch, spec, 60.0, replicates)
        (stage,) = [
            each
            for each in timed_runs._own_run(str(replicates), "past")
            if each.traits.sort == "other"
        ]
        speeds[replicates] = stage.seconds / stage.work
    assert speeds[8] > 2 * speeds[24]


def test_a_run_until_decided_takes_from_one_batch_to_all(
    monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue
) -> None:
    spec = completed(catalogue, "search", replicates=24, looks=(8, 16, 24))
    store_with_run(monkeypatch, spec, 60.0, 24)
    found = estimate_duration(spec)
    assert found.whole.middle > 2 * found.first.middle
    shared = estimate_duration(spec, workers=3)
    assert shared.whole.middle == pytest.approx(found.whole.middle / 3)
    text = cost_estimate.describe_estimate(found)
    assert text.endswith(", until decided")
    assert "The first batch takes" in cost_estimate.explain_estimate(found, "")
    cost = describe_cost(spec, kinds.SEARCH)
    assert cost.count(" per batch, at most ") == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [((1, 1), "1 s"), ((11, 19), "10 to 20 s"), ((7000, 40000), "2 to 10 h")],
)
def test_a_range_is_in_round_numbers(seconds: tuple[float, float], text: str) -> None:
    assert cost_estimate.describe_range(Duration(*seconds)) == text


def test_a_baseline_that_is_in_the_store_takes_no_time_again(
    home: Path, tiny: RunSpec
) -> None:
    """The store holds a run of this very spec, so also the tuning of its baseline."""
    marked = ready_baselines.mark_ready_baselines(tiny)
    assert set(marked.inputs) == {"sgd_tuned"}
    other = tiny.model_copy(update={"seed": tiny.seed + 1})
    assert not ready_baselines.mark_ready_baselines(other).inputs
    known, new = (
        {stage.sort: stage.work for stage in stages(spec, spec.kind, prepare)}
        for spec, prepare in (
            (tiny, ready_baselines.mark_ready_baselines),
            (tiny, None),
        )
    )
    assert "tune" in new and "tune" not in known
    assert known["test"] == new["test"]


@pytest.mark.parametrize("tuning", ["tuned", "equal_budget"])
def test_the_key_of_a_tuned_optimizer_is_that_of_the_engine(
    catalogue: Catalogue, tuning: str
) -> None:
    sgd = LearnerChoice(name="sgd", label="sgd", knobs={"tuning": tuning})
    spec = completed(catalogue, "optimization", learners=(sgd,))
    shared = ready_baselines._shared_run(spec, spec.learners[0])
    assert shared == tuning_spec(spec, spec.learners[0])


def test_the_rest_of_a_run_is_known_unless_several_workers_shared_it(
    catalogue: Catalogue,
) -> None:
    spec = completed(catalogue, "search")
    timings = [Timing(spec.learners[0].label, "test in place", 9.0)]
    rest = {
        took: [
            each.seconds
            for each in timed_stages(spec, timings, took, "here cpu", "one")
            if each.traits.sort == "other"
        ]
        for took in (5.0, 12.0)
    }
    assert rest == {5.0: [], 12.0: [3.0]}
