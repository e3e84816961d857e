"""A recorded example is what its kind's default preset gives today, quick."""

import json

import numpy as np
import pytest

from app.client import recorded_examples
from engine.catalogue import find_card
from engine.contract.kinds import KINDS
from engine.contract.run_keys import run_key
from engine.contract.run_spec import complete_spec
from engine.device import fingerprint
from engine.runner.loop import run
from tests.in_memory_run_cache import InMemoryRunCache
from tests.record import BOUNDS, example_spec, judged
from tests.same_machine import same_machine

BOUND = json.loads(BOUNDS.read_text())
# A bound wider than this, in the metric's unit, would forgive another experiment: what
# rounding alone moves so far is compared on the machine that recorded it.
TELLING = 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_the_recorded_example_is_the_default_preset_of_one_batch(kind: str) -> None:
    found = recorded_examples.recorded_run(kind)
    assert found is not None
    spec = example_spec(kind)
    assert found.key == run_key(spec, find_card)
    # It may have been recorded before specs had their newest fields and knobs.
    assert complete_spec(found.spec, find_card, "cpu") == spec
    assert found.summary is not None
    assert found.summary["sentence"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_learner_of_an_example_can_be_compared_anywhere(kind: str) -> None:
    found = recorded_examples.recorded_run(kind)
    assert found is not None
    assert BOUND[kind].keys() == judged(found.blocks).keys()
    telling = {json.loads(a)[0] for a, bound in BOUND[kind].items() if bound <= TELLING}
    assert telling == {choice.label for choice in found.spec.learners}


# The other examples take half a minute each: they are run again with the torture.
@pytest.mark.parametrize(
    "kind",
    [
        kind
        if kind == "optimization"
        else pytest.param(kind, marks=pytest.mark.torture)
        for kind in KINDS
    ],
)
def test_running_it_again_gives_its_rows(kind: str) -> None:
    found = recorded_examples.recorded_run(kind)
    assert found is not None
    kept, fresh = judged(found.blocks), judged(run(found.spec, InMemoryRunCache()))
    assert kept.keys() == fresh.keys()
    same = same_machine(fingerprint("cpu"), found.fingerprint)
    for name, array in kept.items():
        bound = 0.0 if same else BOUND[kind][name]
        if bound <= TELLING:
            np.testing.assert_allclose(array, fresh[name], 0, bound, err_msg=name)


def test_the_recorded_agents_can_be_watched() -> None:
    found = recorded_examples.recorded_run("rl")
    assert found is not None
    film = found.film("film")
    assert film is not None and film.kind == "trials"
