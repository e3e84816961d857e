"""A frozen knowledge base as the page reads it, and as a file."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from app.client import run_knowledge
from engine.data.user.knowledge_file import read_knowledge

SPACE = {
    "space": "toy",
    "positions": ["depth", "skip"],
    "options": [["1", "2", "3"], ["no", "yes"]],
    "edges": [],
    "tasks": ["digits", "wine"],
}


def frozen() -> Any:
    """Return two bases of five places: two for the best, four of five filled."""
    codes = np.array([[2, 1], [1, 0], [2, 1], [0, 0], [0, 0]])
    accuracy = np.array([0.9, 0.8, 0.9, np.nan, 0.0])
    arrays = {
        "codes": np.stack([codes, codes]),
        "accuracy": np.stack([accuracy, accuracy - 0.1]),
        "task": np.tile([0, 1, 0, 1, 0], (2, 1)),
        "step": np.tile([4, 7, 4, 2, 0], (2, 1)),
        "search": np.tile([0, 1, 0, 1, 0], (2, 1)),
        "filled": np.tile([1, 1, 1, 1, 0], (2, 1)),
        "seen": np.array([30, 30]),
        "moments": np.tile([15.0, 0.5, 0.4], (2, 2, 1)),
    }
    return SimpleNamespace(arrays=arrays, info={"knobs": {"best": 2}})


def film() -> Any:
    return SimpleNamespace(arrays={}, info={"evaluator": SPACE})


def test_an_experience_in_both_parts_is_listed_once() -> None:
    base = run_knowledge.read_frozen(frozen(), film())
    held = base.entries
    assert held.accuracy.tolist()[:2] == [0.9, 0.8] and len(held.accuracy) == 3
    assert held.best.tolist() == [True, True, False]
    assert base.seen_count == 30 and run_knowledge.count_replicates(frozen()) == 2


def test_the_table_has_the_best_first_and_options_by_name() -> None:
    rows = run_knowledge.experience_table(run_knowledge.read_frozen(frozen(), film()))
    assert rows["Accuracy (%)"].tolist()[:2] == [90.0, 80.0]
    assert rows["depth"].tolist() == ["3", "2", "1"]
    assert rows["Task"].tolist() == ["digits", "wine", "wine"]
    assert rows["Evaluation"].tolist() == [5, 8, 3]


def test_filters_narrow() -> None:
    base = run_knowledge.read_frozen(frozen(), film())
    assert run_knowledge.filter_experiences(base, ["wine"], {}, None).tolist() == [
        1,
        2,
    ]
    assert run_knowledge.filter_experiences(base, [], {1: "yes"}, None).tolist() == [0]
    assert run_knowledge.filter_experiences(base, [], {}, (0.85, 1.0)).tolist() == [0]
    assert (
        run_knowledge.filter_experiences(base, ["digits"], {1: "no"}, None).tolist()
        == []
    )


def test_the_file_can_be_read_again() -> None:
    told = read_knowledge(run_knowledge.to_file_bytes(frozen(), film()))
    assert told.space.name == "toy" and len(told.replicates) == 2
    first = told.entries[0]
    assert first.best.tolist() == [True, True, False, False]
    np.testing.assert_array_equal(first.accuracy, [0.9, 0.8, 0.9, np.nan])
    assert first.codes.tolist() == frozen().arrays["codes"][0, :4].tolist()
    assert told.experience_count(0) == 30
