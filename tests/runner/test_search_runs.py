"""Searches that cannot be: one sentence each, before anything is computed."""

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.contract.events import Block, Event
from engine.contract.run_spec import Input, RunSpec
from engine.protocol import AllDiverged
from engine.runner.context import RunContext
from engine.runner.loop import run
from engine.runner.spec_checks import check_run
from tests.in_memory_run_cache import InMemoryRunCache
from tests.laws.small import learner_spec, spec_of


def test_a_knowledge_base_that_is_not_here_is_refused_before_the_run() -> None:
    learners = [
        {"name": "random_search"},
        {"name": "warm_evolution", "knobs": {"base": "ab" * 32}},
    ]
    spec = spec_of(family={"name": "nk_landscape"}, learners=learners)
    with pytest.raises(Refused, match="needs the knowledge base") as told:
        check_run(RunContext(spec))
    assert told.value.field.startswith("learners.1.knobs")


def test_a_search_that_finds_nothing_says_so_and_keeps_its_rows() -> None:
    family = {"name": "nk_landscape", "knobs": {"size": 3, "failing": 1.0}}
    spec = learner_spec("random_search")
    spec = spec.model_copy(update={"family": spec_of(family=family).family})
    kept: list[Event] = []
    with pytest.raises(AllDiverged, match="all that it trained failed or exceeded"):
        kept.extend(run(spec, InMemoryRunCache()))
    regret = [e.array for e in kept if isinstance(e, Block) and e.metric == "regret"]
    assert regret and all((np.diff(row, axis=-1) == 0).all() for row in regret)


@pytest.mark.parametrize(
    ("name", "looks"), [("meta_predictor", 7), ("warm_evolution", 0)]
)
def test_evaluations_that_chose_a_checkpoint_are_counted(name: str, looks: int) -> None:
    # Twelve meta-steps, looked at before the first and after every second, on two
    # searches; a knowledge base keeps its last state, whatever is seen.
    spec = learner_spec(name)
    spent = {
        event.phase: float(event.array.mean())
        for event in run(spec, InMemoryRunCache())
        if isinstance(event, Block) and event.metric == "gradient_evaluations"
        if event.learner == spec.learners[0].label
    }
    horizon = spec.budget.horizon
    assert spent["train"] == 24 * horizon
    assert spent.get("tune", 0.0) == looks * 2 * horizon


@pytest.mark.parametrize(("source", "share"), [("the others", 0.0), ("digits", 1.0)])
def test_a_strategy_that_learns_on_its_test_task_says_so(
    source: str, share: float
) -> None:
    assert met(mosaic("digits", source), InMemoryRunCache()) == share


def test_a_carried_base_remembers_on_what_it_was_learned() -> None:
    cache, first = InMemoryRunCache(), mosaic("digits", "the others")
    cache.put("a" * 64, first, list(run(first, cache)))
    for target, share in (("rings", 1.0), ("digits", 0.0)):
        again = mosaic(target, "four_arms").model_copy(
            update={"inputs": {"warm_evolution": Input(run="a" * 64, artefact=BASE)}}
        )
        assert met(again, cache) == share, target


BASE = "warm_evolution"


def mosaic(target: str, source: str) -> RunSpec:
    """Return a tiny run of a warm start on Mosaic."""
    family = {"name": "mosaic", "knobs": {"target": target, "source": source}}
    learners = learner_spec(BASE).learners
    return spec_of(family=family, learners=[c.model_dump() for c in learners])


def met(spec: RunSpec, shelf: InMemoryRunCache) -> float:
    """Return which share of the tests' tasks was learned on."""
    (found,) = (
        float(event.array)
        for event in run(spec, shelf)
        if isinstance(event, Block) and event.metric == "met_before"
    )
    return found
