"""A recorded example is what its kind's default preset gives today."""

import numpy as np
import pytest

from app.client import examples
from engine.catalogue import cards
from engine.contract.blocks import Block
from engine.contract.runs import complete_spec, run_key
from engine.device import fingerprint
from engine.presets import preset
from engine.runner.loop import run
from engine.runner.run_cache import MemoryShelf

JUDGED = ("area", "error", "regret_area")
ALIKE = ("device", "threads", "cpu_capability", "system", "versions")


@pytest.mark.parametrize(("kind", "name"), examples.PRESETS.items())
def test_the_recorded_example_is_the_default_preset(kind: str, name: str) -> None:
    found = examples.run(kind)
    assert found is not None
    spec = complete_spec(preset(name).spec, cards, "cpu")
    assert found.key == run_key(spec, cards)
    assert found.spec == spec
    assert found.summary is not None
    assert found.summary["sentence"]


# The few-shot example takes half a minute: it is run again with the torture.
@pytest.mark.parametrize(
    "kind", ["optimization", pytest.param("few_shot", marks=pytest.mark.torture)]
)
def test_running_it_again_gives_its_rows(kind: str) -> None:
    found = examples.run(kind)
    assert found is not None
    kept = {b.address(): b.array for b in found.blocks if b.metric in JUDGED}
    fresh = {
        e.address(): e.array
        for e in run(found.spec, MemoryShelf())
        if isinstance(e, Block) and e.metric in JUDGED
    }
    assert kept.keys() == fresh.keys()
    here = fingerprint("cpu")
    same = all(found.fingerprint.get(name) == here.get(name) for name in ALIKE)
    for address, array in kept.items():
        if same:
            np.testing.assert_array_equal(array, fresh[address])
            continue
        # A meta-training is chaotic: elsewhere only what it comes to is the same.
        np.testing.assert_allclose(array.mean(), fresh[address].mean(), atol=0.3)
