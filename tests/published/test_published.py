"""Published rows stand as the source table has them, each with where it is from."""

from typing import Any

from engine.catalogue import find_card
from engine.contract.cards import Card
from engine.contract.run_spec import (
    Budget,
    Choice,
    LearnerChoice,
    RunSpec,
    complete_spec,
)
from engine.presets import preset
from engine.published import (
    HEARD,
    READ,
    ROWS,
    describe_differences,
    figures_for_run,
    figures_for_task,
)


def test_each_row_names_a_part_that_is_here_or_none() -> None:
    for row in ROWS:
        if row.learner:
            assert isinstance(find_card("learner", row.learner), Card)
        assert isinstance(find_card("family", row.task), Card)


def test_each_row_has_its_provenance_and_protocol() -> None:
    for row in ROWS:
        assert row.provenance in (READ, HEARD)
        assert row.source
        assert row.protocol
        assert 0 < row.value <= {"%": 100, "MSE": 5, "reward": 2000}[row.unit]
        assert row.half is None or 0 <= row.half < row.value
        units = {"sinusoids": "MSE", "bernoulli_bandit": "reward"}
        units["tabular_mdp"] = "reward"
        assert row.unit == units.get(row.task, "%")


def test_no_result_is_listed_twice() -> None:
    places = [(r.task, r.setting, r.method) for r in ROWS]
    assert len(set(places)) == len(places)


def test_a_spec_gets_the_rows_of_its_task_ways_and_shots() -> None:
    def spec(name: str, **knobs: int) -> RunSpec:
        family = Choice(name=name, knobs=knobs)
        return RunSpec(family=family, learners=(LearnerChoice(name="maml"),))

    proto = [
        r.value
        for r in figures_for_run(spec("omniglot", ways=5, shots=1))
        if r.learner == "protonet"
    ]
    assert proto == [98.8, 98.2]
    sines = figures_for_run(spec("sinusoids", shots=20))
    assert [(r.value, r.half) for r in sines if r.learner == "meta_sgd"] == [
        (0.31, 0.05)
    ]
    assert figures_for_run(spec("omniglot", ways=7, shots=1)) == []
    assert figures_for_run(spec("glyphs", ways=5, shots=1)) == []
    assert {r.shots for r in ROWS if r.task == "sinusoids"} == {5, 10, 20}
    assert len(figures_for_task("omniglot", 20, 5)) > 15


def test_manns_table_is_by_presentation() -> None:
    spec = preset("characters_one_at_a_time_published").spec
    rows = figures_for_run(complete_spec(spec, find_card, "cpu"))
    mann = {r.presentation: r.value for r in rows if r.learner == "mann"}
    assert mann == {1: 36.4, 2: 82.8, 3: 91.0, 4: 92.6, 5: 94.9, 10: 98.1}
    assert {r.setting for r in rows if r.presentation == 2} == {"5-way, presentation 2"}
    assert {r.provenance for r in rows} == {HEARD}
    # What later papers quote as MANN's shots are presentations of this table.
    for shots, k in ((1, 2), (5, 5)):
        quoted = figures_for_task("omniglot", 5, shots)
        assert [r.value for r in quoted if r.learner == "mann"] == [mann[k]]


def _cells(horizon: int = 200, **knobs: Any) -> RunSpec:
    """Return searches of cells, as published but for what is given."""
    return RunSpec(
        family=Choice(name="nasbench201", knobs={"target": "CIFAR-10"} | knobs),
        learners=(LearnerChoice(name="random_search"),),
        budget=Budget(horizon=horizon),
    )


def test_a_search_gets_the_figures_of_the_data_set_that_it_is_tested_on() -> None:
    def figure(target: str, learner: str) -> list[tuple[float, float | None]]:
        rows = figures_for_run(_cells(target=target))
        return [(r.value, r.half) for r in rows if r.learner == learner]

    assert figure("CIFAR-10", "random_search") == [(93.70, 0.36)]
    assert figure("CIFAR-100", "reinforce") == [(71.71, 1.09)]
    assert figure("ImageNet16-120", "regularized_evolution") == []  # not found again


def test_no_published_search_beats_the_best_cell() -> None:
    for target in ("CIFAR-10", "CIFAR-100", "ImageNet16-120"):
        rows = figures_for_task("nasbench201", 0, 0, target)
        assert len(rows) >= 17
        best = max(rows, key=lambda row: row.value)
        assert best.value == next(r.value for r in rows if r.method == "The best cell")


def test_the_published_protocol_has_no_differences_and_each_change_is_listed() -> None:
    assert describe_differences(preset("nasbench201_published").spec) == []
    assert describe_differences(_cells()) == []
    for source in ("CIFAR-10", "CIFAR-100"):
        assert describe_differences(_cells(source=source)) == []
    changed = {
        "pays for its trainings": _cells(target="CIFAR-100"),
        "after 200 epochs": _cells(epochs="200"),
        "no limit in seconds": _cells(seconds=0.0),
        "may spend 6,000 s": _cells(seconds=6000.0),
        "at most 50 cells": _cells(horizon=50),
        "seen of it: noise": _cells(noise=1.0),
        "seen of it: fewer options and a cap": _cells(options=3, cap=0.5),
    }
    for words, spec in changed.items():
        (told,) = describe_differences(spec)
        assert words in told
    waves = RunSpec(
        family=Choice(name="sinusoids"), learners=(LearnerChoice(name="maml"),)
    )
    assert describe_differences(waves) == []


def test_returns_of_agents_stand_beside_trials_of_their_size() -> None:
    run = RunSpec(
        family=Choice(name="bernoulli_bandit", knobs={"arms": 10}),
        learners=(LearnerChoice(name="rl2"),),
        budget=Budget(horizon=100),
    )
    found = {r.learner: r.value for r in figures_for_run(complete(run))}
    assert (found["rl2"], found["gittins"], found["greedy"]) == (83.5, 82.8, 77.1)
    harder = run.model_copy(
        update={"family": Choice(name="bernoulli_bandit", knobs={"high": 0.6})}
    )
    assert figures_for_run(complete(harder)) == []


def complete(run: RunSpec) -> RunSpec:
    return complete_spec(run, find_card, "cpu")
