"""Labels are what people type: they name rows, and change nothing else."""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.contract.errors import Refused
from engine.contract.events import Artefact, Block, Checkpoint, Condition, Event
from engine.contract.run_spec import RunSpec
from engine.runner.context import RunContext
from engine.runner.loop import run
from engine.runner.old_checkpoints import read_old_checkpoint
from engine.runner.stages import list_stages
from engine.runner.state import (
    LearnerState,
    RunState,
    StageKey,
    as_numpy,
    digest_arrays,
)
from engine.store import array_codec
from tests.in_memory_run_cache import InMemoryRunCache
from tests.laws.small import assert_same, learner_spec, spec_of

OLD = Path(__file__).parents[1] / "fixtures" / "checkpoints-0.3.0"
CPU = torch.device("cpu")
HARMLESS = ("one", "two", "three")
HARD = [
    ("sgd tuned again", "sgd tuned", "sgd"),
    ("a|b", "a", "b"),
    ("a", "a|b", "a|b|c"),
    ("a/b:c.d", "a/b", "a"),
    ("film", "remarks in place", "embedding one 0000000"),
    ("threshold", "diverged", "metas"),
    ("x.step", "x", "x.at"),
    ('["a", "b"]', "|", "."),
    ("é∂", "☃ tuned", "‮"),
]
LANDSCAPES = {
    "budget": {"task_evaluations": 8, "horizon": 3, "validation_tasks": 1},
    "replicates": 1,
    "shifts": [{"name": "stretch", "severities": [0.5]}],
}
LEARNERS = (
    {"name": "lr_scale"},
    {"name": "sgd", "role": "baseline", "knobs": {"tuning": "tuned"}},
    {"name": "adam", "role": "baseline"},
)


def labelled(labels: Iterable[str]) -> RunSpec:
    """Return a tiny run of three learners under these labels."""
    learners = [
        learner | {"label": label}
        for learner, label in zip(LEARNERS, labels, strict=True)
    ]
    return spec_of(learners=learners, **LANDSCAPES)


def labels_in(spec: RunSpec) -> list[str]:
    """Return the labels that a completed spec has."""
    return [choice.label for choice in spec.learners]


def played(spec: RunSpec, resume: Checkpoint | None = None) -> list[Event]:
    """Play a spec to its end, with a shelf of its own."""
    return list(run(spec, InMemoryRunCache(), resume))


def numbers(events: Iterable[Event], places: dict[str, Any]) -> dict[Any, Any]:
    """Return every number by its address, labels replaced by `places`."""
    found: dict[Any, Any] = {}
    for event in events:
        if isinstance(event, Block):
            learner = places.get(event.learner, event.learner)
            found[(learner, *event.address()[1:])] = event.array
        elif isinstance(event, Artefact) and event.kind in ("frozen", "film"):
            own = event.kind == "frozen"
            name = places[event.name] if own else event.name
            for key, array in event.arrays.items():
                label, stroke, trace = key.rpartition("/")
                place = (places[label], trace) if stroke else key
                found[event.kind, name, place] = array
    return found


@cache
def harmless() -> dict[Any, Any]:
    places = {label: i for i, label in enumerate(HARMLESS)}
    return numbers(played(labelled(HARMLESS)), places)


@pytest.mark.parametrize("labels", HARD, ids=[" ".join(each) for each in HARD])
def test_any_labels_give_the_rows_of_harmless_ones_resumed_or_not(
    labels: tuple[str, ...],
) -> None:
    spec = labelled(labels)
    places = {label: i for i, label in enumerate(labels_in(spec))}
    events = played(spec)
    assert_same(numbers(events, places), harmless())
    points = [i for i, event in enumerate(events) if isinstance(event, Checkpoint)]
    for at in points[:: max(1, len(points) // 4)]:
        rest = played(spec, filed(events[at]))
        both = numbers(events[:at], places) | numbers(rest, places)
        assert_same(both, harmless())


def filed(point: Event) -> Checkpoint:
    """Return a checkpoint as a file gives it back."""
    assert isinstance(point, Checkpoint)
    return Checkpoint(*array_codec.unpack(array_codec.pack(point.arrays, point.state)))


LABELS = st.text(st.sampled_from("|/:. tunedé☃\"[],'"), min_size=1, max_size=12)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.lists(LABELS, min_size=2, max_size=3, unique=True), LABELS)
@example(["a", "a|b"], "|c")
def test_whatever_the_labels_a_checkpoint_gives_back_what_was_carried(
    labels: list[str], tensor: str
) -> None:
    state = RunState(
        done=[StageKey("train", labels[0]), StageKey("test", "", Condition(labels[1]))],
        metas={a: {tensor: torch.tensor([float(i)])} for i, a in enumerate(labels)},
        training={"memory": {tensor: torch.ones(1)}},
        learners={a: LearnerState(step=i, digests=[a]) for i, a in enumerate(labels)},
        shown={Condition(shift=labels[0], severity=0.1): {"worst": 3}},
    )
    state.metas[labels[-1]] = {}
    assert RunState.from_checkpoint(filed(state.checkpoint()), CPU) == state


def test_two_severities_that_read_the_same_are_both_tested() -> None:
    near = [0.5, 0.50000001]
    fields = LANDSCAPES | {"shifts": [{"name": "stretch", "severities": near}]}
    found = played(spec_of(**fields))
    tested = {e.condition.severity for e in found if isinstance(e, Block)}
    assert tested == {0.0, *near}


# checkpoints of other versions ------------------------------------------------
def old_spec() -> RunSpec:
    """Return the spec whose checkpoints 0.3.0 left in the fixture."""
    return learner_spec(
        "maml",
        shifts=[{"name": "feature_noise", "severities": [0.0, 0.5]}],
        learners=[
            {"name": "maml"},
            {
                **{"name": "fine_tune", "label": "maml tuned|x", "role": "baseline"},
                "knobs": {"steps": 3},
            },
        ],
    )


def old_point(name: str) -> Checkpoint:
    data = (OLD / f"{name}.checkpoint").read_bytes()
    return Checkpoint(*array_codec.unpack(data))


def read(name: str) -> RunState:
    context = RunContext(old_spec())
    stages = list_stages(context, InMemoryRunCache(), first=True)
    keys = [key for stage in stages for key in stage.covers]
    return read_old_checkpoint(old_point(name), keys, context)


def test_weights_in_a_checkpoint_of_0_3_0_are_those_that_it_froze() -> None:
    state = read("tested")
    assert set(state.metas) == {"maml", "maml tuned|x"}
    for label, weights in state.metas.items():
        assert digest_arrays(as_numpy(weights)) in state.learner(label).digests
        assert len(state.learner(label).digests) == 1
    assert StageKey("tune", "maml tuned|x") in state.done
    assert set(state.shown[Condition()]) == {"worst", "best"}


def test_a_training_checkpointed_by_0_3_0_resumes_at_its_step() -> None:
    state = read("training")
    assert state.learner("maml tuned|x").step == 4
    assert state.learner("maml").step is None
    weights = state.training["weights"]
    assert weights.keys() == state.training["kept"].keys() != set()
    assert state.training["judge"].keys() == {"best", "stale", "at"}


@pytest.mark.parametrize("name", ["training", "tested"])
def test_a_run_that_0_3_0_left_unfinished_ends(name: str) -> None:
    events = played(old_spec(), old_point(name))
    judged = [e for e in events if isinstance(e, Block) and e.metric == "thawed"]
    assert {e.learner for e in judged} == {"maml", "maml tuned|x"}


def test_an_old_checkpoint_of_another_run_is_refused_in_one_sentence() -> None:
    with pytest.raises(Refused, match=r"holds 'metas\|maml\|w0', which no learner"):
        played(spec_of(), old_point("tested"))


def as_of_0_3_0(point: Checkpoint) -> Checkpoint:
    """Return a checkpoint as 0.3.0 would have written it."""
    state, facts = point.state, dict[str, float]()
    for label, one in state["learners"].items():
        facts |= {f"digest {label} {each}": 1.0 for each in one["digests"]}
        facts[f"{label}.at"] = one["at"]
        if one["step"] is not None:
            facts[f"{label}.step"] = float(one["step"])
    if state["threshold"] is not None:
        facts["threshold"] = state["threshold"]
    names = {key: "|".join(json.loads(key)) for key in state["order"]}
    done = [StageKey(a, b, Condition(*at)).title for a, b, at in state["done"]]
    return Checkpoint(
        {names[key]: array for key, array in point.arrays.items()},
        {
            **{"done": done, "facts": facts, "metas": state["metas"]},
            "order": [names[key] for key in state["order"]],
        },
    )


def test_a_run_of_0_3_0_resumed_from_any_checkpoint_has_the_same_rows() -> None:
    spec = labelled(("a", "a|b", "a|b tuned"))
    places = {label: i for i, label in enumerate(labels_in(spec))}
    events = played(spec)
    for at, event in enumerate(events):
        if isinstance(event, Checkpoint):
            rest = played(spec, as_of_0_3_0(event))
            both = numbers(events[:at], places) | numbers(rest, places)
            assert_same(both, harmless())


def test_a_checkpoint_of_a_newer_metascope_is_refused_in_one_sentence() -> None:
    point = RunState().checkpoint()
    newer = Checkpoint(point.arrays, point.state | {"format": 5})
    with pytest.raises(Refused, match=r"format 5, .* reads up to 4: update it, or"):
        played(spec_of(), newer)


def test_weights_that_testing_changed_are_still_found_beside_a_longer_label() -> None:
    spec = labelled(("sgd tuned", "sgd", "x"))
    point = next(
        e
        for e in reversed(played(spec))
        if isinstance(e, Checkpoint) and e.state["metas"]
    )
    changed = {key: np.array(array) + 1 for key, array in point.arrays.items()}
    with pytest.raises(RuntimeError, match="changed the frozen weights of "):
        played(spec, Checkpoint(changed, point.state))
