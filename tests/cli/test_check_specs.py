"""Specs are checked by the line, with the answer of the command that runs them."""

import io
import json

import pytest

from engine.cli.check_specs import _answers
from engine.runner import memory_limit
from engine.runner.memory_limit import SETTING
from tests.tasks.few_shot.test_own_classes import rows_family


def test_what_needs_too_much_memory_is_refused_with_the_field_to_lower(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(SETTING, "1024")
    monkeypatch.setattr(memory_limit, "cap_memory", lambda: None)  # of this process
    budget = {"test_tasks": 10_000, "horizon": 1000}
    spec = {
        "family": {"name": "mixtures"},
        "learners": [{"name": "sgd"}],
        "replicates": 20,
        "budget": budget,
    }
    (answer,) = _answers(io.BytesIO(json.dumps(spec).encode()))
    assert "needs about" in answer["message"]
    assert answer["field"] == "budget.test_tasks"


def test_each_line_is_answered_with_reason_and_field() -> None:
    knobs = rows_family().model_dump(mode="json") | {"ways": 7}
    learners = [{"name": "protonet"}]
    specs = [
        {"family": {"name": "glyphs"}, "learners": learners},
        {"family": {"name": "own_classes", "knobs": knobs}, "learners": learners},
        {"family": {"name": "mixtures"}, "learners": learners},
    ]
    lines = "\n".join(map(json.dumps, specs)) + "\nnonsense\n"
    fine, ways, kind, broken = _answers(io.BytesIO(lines.encode()))
    assert fine == {"message": "", "field": ""}
    assert "7 ways are too many: the validation pool has 3" in ways["message"]
    assert ways["field"] == "family.ways"
    assert "learners[0].name" in kind["message"]
    assert "not JSON" in broken["message"]
