"""What is equal in a spec is computed once, and shown under each of its names."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.contract.events import Artefact, Block, Checkpoint, Event, Note, Timing
from engine.contract.run_spec import RunSpec, group_equal_learners
from engine.runner import meta_test
from engine.runner.context import MetaTestCondition, RunContext
from engine.runner.deduplication import group_equal_conditions
from engine.runner.loop import run
from engine.runner.titled_summary import summarize_run
from tests.in_memory_run_cache import InMemoryRunCache
from tests.laws.small import assert_same, collected, learner_spec

BASELINES = {
    "lr_scale": {"name": "sgd", "knobs": {"tuning": "tuned"}},
    "maml": {"name": "fine_tune", "knobs": {"steps": 3}},
    "warm_evolution": {"name": "random_search"},
}
NAMES = ("lr_scale", "maml", "warm_evolution")


def played(spec: RunSpec, resume: Checkpoint | None = None) -> list[Event]:
    return list(run(spec, InMemoryRunCache(), resume))


def competing(name: str, labels: Iterable[str], **fields: Any) -> RunSpec:
    """Return a tiny run: a learner and a baseline, each under every label."""
    learners = [
        {**learner, "label": f"{learner['name']} {label}", "role": role}
        for learner, role in (
            ({"name": name}, "chosen"),
            (BASELINES[name], "baseline"),
        )
        for label in labels
    ]
    return learner_spec(name, learners=learners, **fields)


def of_learner(rows: dict[Any, Any], label: str) -> dict[Any, Any]:
    """Return the rows and frozen weights of one learner, without its label."""
    return {key[1:]: array for key, array in rows.items() if key[0] == label}


@pytest.mark.parametrize("name", NAMES)
def test_equal_learners_each_have_the_rows_that_they_have_alone(name: str) -> None:
    both = collected(iter(played(competing(name, ("a|b", "tuned")))))
    for label in ("a|b", "tuned"):
        alone = collected(iter(played(competing(name, (label,)))))
        for of in (name, BASELINES[name]["name"]):
            mine = of_learner(alone, f"{of} {label}")
            assert mine
            assert_same(of_learner(both, f"{of} {label}"), mine)
        films = {k: a for k, a in alone.items() if k[0] == "film"}  # type: ignore[index]
        for key, array in films.items():
            np.testing.assert_array_equal(both[key], array)


@pytest.mark.parametrize("name", NAMES)
def test_equal_learners_are_trained_tuned_and_tested_once(name: str) -> None:
    def worked(labels: Iterable[str]) -> Counter[str]:
        events = played(competing(name, labels))
        return Counter(e.stage.split()[0] for e in events if isinstance(e, Note))

    assert worked(("a", "b", "c")) == worked(("a",))


@pytest.mark.parametrize("name", NAMES)
def test_a_run_with_equal_learners_resumed_from_a_checkpoint_has_the_same_rows(
    name: str,
) -> None:
    spec = competing(name, ("a", "b"))
    events = played(spec)
    whole = collected(iter(events))
    points = [i for i, event in enumerate(events) if isinstance(event, Checkpoint)]
    for at in points[1 :: max(1, len(points) // 2)]:
        before = collected(iter(events[:at]))
        assert_same(before | collected(iter(played(spec, events[at]))), whole)  # type: ignore[arg-type]


def test_other_knobs_or_another_input_make_another_learner() -> None:
    learners = [
        {"name": "sgd", "label": "a"},
        {"name": "sgd", "label": "b", "knobs": {"lr": 0.02}},
        {"name": "sgd", "label": "c", "role": "baseline"},
        {"name": "sgd", "label": "d"},
    ]
    given = {"d": {"run": "0" * 64, "artefact": "d"}}
    spec = learner_spec("sgd", learners=learners, inputs=given)
    groups = [[c.label for c in same] for same in group_equal_learners(spec)]
    assert groups == [["a", "c"], ["b"], ["d"]]


def test_a_refused_learner_is_named_by_its_own_place() -> None:
    learners = [{"name": "sgd"}, {"name": "sgd", "label": "b"}, {"name": "maml"}]
    with pytest.raises(
        ValueError, match=r"learners\[2\]\.name: maml learns few-shot"
    ) as refusal:
        played(learner_spec("sgd", learners=learners))
    assert refusal.value.field == "learners.2"  # type: ignore[attr-defined]


# conditions -------------------------------------------------------------------
def asked(name: str, **fields: Any) -> RunSpec:
    """Return a tiny run that is tested on its own family again, and shifted."""
    spec = learner_spec(name)
    again = spec.family.model_dump(mode="json")
    return learner_spec(name, test_families=[again], **fields)


@pytest.mark.parametrize("name", NAMES)
def test_an_equal_family_is_tested_once_with_the_rows_of_the_trained_one(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[MetaTestCondition] = []
    draw = meta_test.draw_test_tasks

    def counted(context: RunContext, condition: MetaTestCondition) -> Any:
        drawn.append(condition)
        return draw(context, condition)

    monkeypatch.setattr(meta_test, "draw_test_tasks", counted)
    events = played(asked(name))
    assert len(drawn) == 1
    tests = [e for e in events if isinstance(e, Block) and e.phase == "test"]
    there = [e for e in tests if e.condition.family]
    assert {e.metric for e in there} >= {"diverged", "gradient_evaluations"}
    here = {e.address(): e.array for e in tests}
    for event in there:
        at = replace(event, condition=replace(event.condition, family=""))
        np.testing.assert_array_equal(event.array, here[at.address()])


def test_a_test_is_timed_under_each_of_its_conditions() -> None:
    spec = asked("sgd")
    timed = {
        (e.learner, e.stage): e.count for e in played(spec) if isinstance(e, Timing)
    }
    assert timed["sgd", "test mixtures"] == timed["sgd", "test in place"] > 1


def test_a_shift_of_the_data_is_no_equal_condition() -> None:
    shifts = [{"name": "feature_noise", "severities": [0.0, 0.5, 0.7]}]
    trials, _ = RunContext(asked("maml", shifts=shifts)).test_conditions()
    groups = [[t.title for t in same] for same in group_equal_conditions(trials)]
    assert groups == [
        ["in place", "feature_noise 0", "sinusoids"],
        ["feature_noise 0.5"],
        ["feature_noise 0.7"],
    ]


# what is said of it -----------------------------------------------------------
def test_the_summary_says_what_was_computed_once_and_charges_each_label() -> None:
    spec = competing("lr_scale", ("a", "b"), test_families=[{"name": "mixtures"}])
    blocks = [e for e in played(spec) if isinstance(e, Block)]
    summary = summarize_run(blocks, spec)
    assert summary["shared"] == [
        "lr_scale a and lr_scale b are equal learners: computed once, and shown under "
        "each label with the whole cost.",
        "sgd a and sgd b are equal learners: computed once, and shown under each label "
        "with the whole cost.",
        "mixtures (trained on) and mixtures are equal families: tested once, and shown "
        "under each name with the whole cost.",
    ]
    ledger: Any = summary["ledger"]
    assert ledger["lr_scale a"] == ledger["lr_scale b"]
    assert ledger["lr_scale a"]["train"] > 0


def test_a_summary_without_equal_learners_does_not_mention_sharing() -> None:
    spec = competing("lr_scale", ("a",))
    blocks = [e for e in played(spec) if isinstance(e, Block)]
    assert "shared" not in summarize_run(blocks, spec)


def test_a_frozen_learner_is_filed_under_each_label() -> None:
    events = played(competing("lr_scale", ("a", "b")))
    frozen = [e for e in events if isinstance(e, Artefact) and e.kind == "frozen"]
    names = {e.name for e in frozen}
    assert names == {"lr_scale a", "lr_scale b", "sgd a", "sgd b"}
