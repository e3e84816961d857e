"""A baseline that learns is trained once for all runs that ask for it."""

from collections import Counter
from typing import Any

from engine.contract.events import Note
from engine.contract.run_spec import RunSpec
from engine.runner.loop import run
from tests.in_memory_run_cache import InMemoryRunCache
from tests.laws.small import assert_same, collected, learner_spec

BASELINE = {"name": "maml", "label": "other", "role": "baseline"}


def asked(rate: float) -> RunSpec:
    chosen = {"name": "maml", "knobs": {"inner_lr": rate}}
    return learner_spec("maml", learners=[chosen, BASELINE])


def played(spec: RunSpec, shelf: InMemoryRunCache) -> tuple[dict[Any, Any], set[str]]:
    events = list(run(spec, shelf))
    notes = Counter(e.stage for e in events if isinstance(e, Note))
    return collected(iter(events)), {stage for stage, n in notes.items() if n > 1}


def test_a_second_run_takes_the_baseline_from_the_shelf_with_the_same_rows() -> None:
    cache = InMemoryRunCache()
    _, first = played(asked(0.03), cache)
    again, second = played(asked(0.02), cache)
    alone, _ = played(asked(0.02), InMemoryRunCache())
    assert "train other" in first and "train other" not in second
    assert "train maml" in second
    assert_same(again, alone)


def test_another_budget_or_seed_is_another_training() -> None:
    cache = InMemoryRunCache()
    played(asked(0.03), cache)
    for other in ({"seed": 5}, {"budget": {"task_evaluations": 12}}):
        chosen = {"name": "maml", "knobs": {"inner_lr": 0.03}}
        spec = learner_spec("maml", learners=[chosen, BASELINE], **other)
        assert "train other" in played(spec, cache)[1]


def test_the_judged_learner_is_never_taken_from_the_shelf() -> None:
    cache = InMemoryRunCache()
    played(asked(0.03), cache)
    assert "train maml" in played(asked(0.03), cache)[1]
