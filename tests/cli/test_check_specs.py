"""Specs are checked by the line, with the answer of the command that runs them."""

import io
import json

from engine.cli.check_specs import _answers
from tests.tasks.few_shot.test_own_classes import rows_family


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
