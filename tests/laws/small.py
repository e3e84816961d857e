"""Tiny runs that put one part to work, for laws over the whole registry."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from engine.catalogue import find_card
from engine.contract.events import Artefact, Block, Checkpoint, Event
from engine.contract.registry import part, parts
from engine.contract.run_spec import RunSpec, complete_spec
from engine.protocol import AllDiverged, Family, Learner
from engine.runner.loop import run
from engine.runner.results_of_other_runs import RunCache
from tests.in_memory_run_cache import InMemoryRunCache

BUDGET = {
    "task_evaluations": 24,
    "tasks_per_step": 2,
    "validation_tasks": 2,
    "validate_every": 2,
    "test_tasks": 2,
    "horizon": 8,
    "tuning_tasks": 4,
}
EPISODE = 40  # steps; enough for a pole to fall
SHELF = InMemoryRunCache()


class Tiny(NamedTuple):
    """A tiny run of one kind of task.

    `families` are tried in order, the first that a learner can answer; `net` its
    knobs; `metrics` are looked at, the first being what is judged; `shift` fits.
    """

    families: tuple[str, ...]
    net: dict[str, Any]
    budget: dict[str, int]
    metrics: tuple[str, ...]
    shift: str


TINY = {
    "optimization": Tiny(
        ("mixtures",), {}, {}, ("final_loss", "loss", "grad_norm", "area"), "stretch"
    ),
    "few_shot": Tiny(
        ("sinusoids", "gaussian_classes"),
        {"depth": 2, "width": 12, "start": "he"},
        {"horizon": 3, "validation_tasks": 3},
        ("error",),
        "feature_noise",
    ),
    "rl": Tiny(
        ("bernoulli_bandit", "tabular_mdp", "pendulum"),
        {"width": 8, "start": "he"},
        {"horizon": 6},
        ("trial_regret", "trial_return"),
        "action_noise",
    ),
    "search": Tiny(
        ("nk_landscape",),
        {},
        {"horizon": 12},
        ("regret_area", "final_score"),
        "evaluation_noise",
    ),
}


def kind_of(name: str) -> str:
    """Return the kind of task that a learner solves."""
    (kind,) = part("learner", name).solves
    return kind


def family_for(name: str) -> str:
    """Return the family that a learner is tried on."""
    learner = part("learner", name)
    assert issubclass(learner, Learner)
    for family in TINY[kind_of(name)].families:
        answers = part("family", family)().answer_kind()
        if answers in (*learner.answers, "none"):
            return family
    raise AssertionError(f"{name} answers none of the tiny families")


# Asking for any card discovers every part, before tests are parametrized.
find_card("net", "mlp")


def spec_of(**fields: Any) -> RunSpec:
    """Return a completed tiny spec; fields override the defaults."""
    body = {
        "family": {"name": "mixtures"},
        "learners": [{"name": "sgd"}],
        "budget": BUDGET,
        "replicates": 2,
        "seed": 3,
    }
    budget = BUDGET | fields.pop("budget", {})
    return complete_spec(
        RunSpec.model_validate(body | fields | {"budget": budget}), find_card, "cpu"
    )


def learner_spec(name: str, family: str = "", **fields: Any) -> RunSpec:
    """Return a tiny spec with one learner, trained by its first estimator."""
    learner, tiny = part("learner", name), TINY[kind_of(name)]
    assert issubclass(learner, Learner)
    family = family or family_for(name)
    net = part("family", family).net  # type: ignore[attr-defined]
    body = {
        "learners": [{"name": name, "knobs": short(learner)}],
        "family": {"name": family},
        # The start is named, so that rows do not hang on a family's default.
        "net": {"name": net, "knobs": tiny.net if net == "mlp" else {"start": "he"}},
        "estimator": {"name": (*learner.estimators, "pes")[0]},
    }
    budget = tiny.budget | fields.pop("budget", {})
    return spec_of(**body | fields, budget=budget)


def short(learner: type[Learner]) -> dict[str, Any]:
    """Return knobs that keep a learner from many steps: rounding grows with each."""
    few, fields = {"steps": 3, "inner_steps": 5}, learner.model_fields
    return {n: min(v, fields[n].default) for n, v in few.items() if n in fields}


def family_spec(family: str, **fields: Any) -> RunSpec:
    """Return a tiny spec on a family, with the plainest learner of its kind."""
    return learner_spec(PLAIN[part("family", family).kind], family, **fields)  # type: ignore[attr-defined]


def knobbed(family: str, knobs: dict[str, Any], **fields: Any) -> RunSpec:
    """Return a tiny spec on a family with some of its knobs turned."""
    body = family_spec(family, **fields).model_dump(mode="json")
    body["family"]["knobs"] |= knobs
    return complete_spec(RunSpec.model_validate(body), find_card, "cpu")


def brief_episodes(family: str) -> dict[str, int]:
    """Return the knob that shortens the episodes of a family; empty if they are."""
    fields = part("family", family).model_fields
    is_long = "steps" in fields and fields["steps"].annotation is int
    return {"steps": EPISODE} if is_long and fields["steps"].default > EPISODE else {}


PLAIN = {
    "optimization": "sgd",
    "few_shot": "maml",
    "rl": "random_actions",
    "search": "random_search",
}


def events(
    spec: RunSpec, resume: Checkpoint | None = None, cache: RunCache = SHELF
) -> Iterator[Event]:
    """Play a spec to its end, whether it diverges or not; tuned rates are shared."""
    with suppress(AllDiverged):
        yield from run(spec, cache, resume)


def rows(spec: RunSpec, cache: RunCache = SHELF) -> dict[object, np.ndarray]:
    """Return every number of a run by its address."""
    return collected(events(spec, cache=cache))


def collected(found: Iterator[Event]) -> dict[object, np.ndarray]:
    """Return blocks by address and artefacts by name and array."""
    numbers: dict[object, np.ndarray] = {}
    for event in found:
        if isinstance(event, Block):
            numbers[event.address()] = event.array
        elif isinstance(event, Artefact):
            for name, array in event.arrays.items():
                numbers[event.name, name] = array
    return numbers


def assert_same(one: dict[object, np.ndarray], two: dict[object, np.ndarray]) -> None:
    """Compare bit for bit, NaN equal to NaN."""
    assert one.keys() == two.keys() != set()
    for address, array in one.items():
        np.testing.assert_array_equal(array, two[address], err_msg=str(address))


@cache
def names(slot: str) -> tuple[str, ...]:
    """Return the parts of a slot that can be used here."""
    return tuple(
        found.name for found in parts(slot) if not getattr(found, "missing_file", str)()
    )


def families(kind: str = "optimization") -> tuple[str, ...]:
    """Return the families of a kind whose default draws fit a tiny run."""
    own = (n for n in names("family") if not issubclass_own(n))
    return tuple(n for n in own if getattr(part("family", n), "kind", "") == kind)


def issubclass_own(name: str) -> bool:
    """Return whether a family needs a file of the user, or code."""
    family = part("family", name)
    assert issubclass(family, Family)
    return family.needs_file or family.own_code
