"""Tiny runs that put one part to work, for laws over the whole registry."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np

from engine.catalogue import cards
from engine.contract.blocks import Artefact, Block, Checkpoint, Event
from engine.contract.registry import part, parts
from engine.contract.runs import RunSpec, complete_spec
from engine.loop import run
from engine.protocol import AllDiverged, Family, Learner
from engine.shelf import MemoryShelf

BUDGET = {
    "task_evaluations": 24,
    "tasks_per_step": 2,
    "validation_tasks": 2,
    "validate_every": 2,
    "test_tasks": 2,
    "horizon": 8,
    "tuning_tasks": 4,
}
SHELF = MemoryShelf()
# Asking for any card discovers every part, before tests are parametrized.
cards("net", "mlp")


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
        RunSpec.model_validate(body | fields | {"budget": budget}), cards, "cpu"
    )


def learner_spec(name: str, family: str = "mixtures", **fields: Any) -> RunSpec:
    """Return a tiny spec with one learner, trained by its first estimator."""
    learner = part("learner", name)
    assert issubclass(learner, Learner)
    estimator = (*learner.estimators, "pes")[0]
    chosen = {"name": name}
    return spec_of(
        **{
            "learners": [chosen],
            "family": {"name": family},
            "estimator": {"name": estimator},
        }
        | fields
    )


def events(spec: RunSpec, resume: Checkpoint | None = None) -> Iterator[Event]:
    """Play a spec to its end, whether it diverges or not; tuned rates are shared."""
    with suppress(AllDiverged):
        yield from run(spec, SHELF, resume)


def rows(spec: RunSpec) -> dict[object, np.ndarray]:
    """Return every number of a run by its address."""
    return collected(events(spec))


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
    assert one.keys() == two.keys()
    for address, array in one.items():
        np.testing.assert_array_equal(array, two[address], err_msg=str(address))


@cache
def names(slot: str) -> tuple[str, ...]:
    """Return the parts of a slot that can be used here."""
    return tuple(
        found.name for found in parts(slot) if not getattr(found, "missing", str)()
    )


def families() -> tuple[str, ...]:
    """Return the families whose default draws fit a tiny run."""
    return tuple(n for n in names("family") if not issubclass_own(n))


def issubclass_own(name: str) -> bool:
    """Return whether a family needs a person's file."""
    family = part("family", name)
    assert issubclass(family, Family)
    return bool(getattr(family, "needs_file", False))
