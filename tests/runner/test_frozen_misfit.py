"""Frozen weights that do not fit are refused with what differs."""

import pytest

from engine.catalogue import find_card
from engine.contract.errors import Refused
from engine.contract.events import Artefact
from engine.contract.run_spec import RunSpec, complete_spec
from engine.runner.loop import run
from tests.in_memory_run_cache import InMemoryRunCache

SMALL = {"width": 8, "heads": 1, "layers": 1, "hidden": 8}
BUDGET = {
    **{"task_evaluations": 4, "tasks_per_step": 2, "validation_tasks": 2},
    **{"validate_every": 2, "test_tasks": 2, "horizon": 1},
}
KEY = "0" * 64


def spec_of(family: str = "sinusoids", depth: int = 0, **knobs: object) -> RunSpec:
    body = {
        "family": {"name": family},
        "net": {"name": "mlp", "knobs": {"depth": depth}},
        "learners": [{"name": "transformer", "knobs": SMALL | knobs}],
        "budget": BUDGET,
        "replicates": 1,
    }
    return complete_spec(RunSpec.model_validate(body), find_card, "cpu")


@pytest.fixture(scope="module")
def cache() -> InMemoryRunCache:
    kept, spec = InMemoryRunCache(), spec_of()
    kept.put(KEY, spec, [e for e in run(spec, kept) if isinstance(e, Artefact)])
    return kept


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (spec_of("linear_regression"), "another size for linear_regression than for"),
        (spec_of(width=16), "knobs differ from the run that made them: width$"),
        (spec_of(depth=1), "another net; take mlp"),
    ],
)
def test_what_differs_is_named(
    cache: InMemoryRunCache, later: RunSpec, words: str
) -> None:
    source = {"run": KEY, "artefact": "transformer", "spec": spec_of()}
    update = {"inputs": {"transformer": source}}
    body = later.model_dump() | update
    with pytest.raises(Refused, match=words) as found:
        list(run(RunSpec.model_validate(body), cache))
    assert found.value.field == "inputs.transformer"


def test_weights_of_the_same_run_fit(cache: InMemoryRunCache) -> None:
    source = {"run": KEY, "artefact": "transformer", "spec": spec_of()}
    body = spec_of().model_dump() | {"inputs": {"transformer": source}}
    assert list(run(RunSpec.model_validate(body), cache))
