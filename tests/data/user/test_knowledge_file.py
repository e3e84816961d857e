"""A knowledge base survives a file unchanged, or one sentence says why not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.algorithms.search.knowledge.import_export import export_base, import_base
from engine.algorithms.search.knowledge.knowledge_base import (
    BaseSizes,
    ExperienceBatch,
    KnowledgeBase,
    add_experiences,
    empty_base,
)
from engine.contract.errors import Refused
from engine.data.sources.checksums import sha256
from engine.data.user import knowledge_file as files
from engine.data.user.csv_store import own_path, path_bytes, store_bytes
from engine.data.user.knowledge_file import (
    read_knowledge,
    store_knowledge,
    stored_knowledge,
)
from tests.laws.test_search_families import drawn

SIZES = BaseSizes(6, 26)


def small() -> dict[str, Any]:
    """Return a file as a user might write it."""
    return {
        "kind": "knowledge",
        "format": 1,
        "space": {
            "name": "toy",
            "positions": ["a", "b"],
            "options": [["x", "y"], ["p", "q", "r"]],
            "edges": [],
        },
        "tasks": ["near", "far"],
        "replicates": [
            {
                "experiences": [
                    {"architecture": ["x", "r"], "accuracy": 0.5, "task": "near"},
                    {"architecture": ["y", "p"], "accuracy": None, "task": "far"},
                ]
            }
        ],
    }


def made(replicates: int = 2, count: int = 40) -> KnowledgeBase:
    """Return a base of the tiny landscapes, a failed training among it."""
    evaluator = drawn("nk_landscape", 1, 1).evaluator
    rng = np.random.default_rng(0)
    shape = (replicates, count)
    accuracy = rng.random(shape)
    accuracy[:, 3] = np.nan
    found = ExperienceBatch(
        evaluator.space.codes(rng.integers(0, evaluator.space.size, shape)),
        accuracy,
        rng.integers(0, len(evaluator.tasks), shape),
        np.tile(np.arange(count), (replicates, 1)),
        rng.integers(0, 4, shape),
        np.ones(shape, bool),
    )
    base = empty_base(evaluator.space, replicates, SIZES, len(evaluator.tasks))
    return add_experiences(base, found, rng.random(shape))


@pytest.mark.parametrize("count", [12, 40])
def test_a_base_survives_its_file_bit_for_bit(count: int) -> None:
    tasks, base = drawn("nk_landscape", 1, 1), made(count=count)
    evaluator = tasks.evaluator
    data = export_base(base, evaluator.space, evaluator.tasks)
    again = import_base(read_knowledge(data), tasks, 2, SIZES)
    for name, one, two in zip(KnowledgeBase._fields, base, again, strict=True):
        np.testing.assert_array_equal(one, two, err_msg=name)


def test_fewer_replicates_are_repeated() -> None:
    tasks, base = drawn("nk_landscape", 1, 1), made()
    evaluator = tasks.evaluator
    told = read_knowledge(export_base(base, evaluator.space, evaluator.tasks))
    many = import_base(told, tasks, 3, SIZES)
    np.testing.assert_array_equal(many.codes[2], base.codes[0])


def test_a_file_written_by_hand_is_completed() -> None:
    told = read_knowledge(json.dumps(small()).encode())
    (entries,) = told.entries
    assert entries.codes.tolist() == [[0, 2], [1, 0]] and told.experience_count(0) == 2
    assert not entries.best.any() and np.isnan(entries.accuracy[1])
    assert told.moments(0).tolist() == [[1.0, 0.5, 0.0], [0.0, 0.0, 0.0]]


def changed(path: str, value: object) -> bytes:
    """Return the small file with one field set, or left out where value is …."""
    body: Any = small()
    *above, last = [int(w) if w.isdigit() else w for w in path.split(".")]
    place = body
    for step in above:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(body).encode()


FIRST = "replicates.0.experiences.0"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("format", 2, "has format 2; this Metascope reads up to 1"),
        ("format", ..., "format: it is missing"),
        ("kind", "run", "not a knowledge base"),
        ("space", ..., "space: it is missing"),
        ("space", [], "space: must be a JSON object, not a list"),
        (
            "space.options",
            [["x"]],
            "space: options must be a list of 2, one for each position, not of 1",
        ),
        ("space.options.1", ["p", "p", "r"], "must not have a name twice"),
        (
            "space.edges",
            [[0, 1]],
            "space: edges must be empty or a list of 2, not of 1",
        ),
        ("space.positions", [], "space.positions: at least 1, not 0"),
        ("tasks", "near", "tasks: must be a list, not 'near'"),
        ("replicates", [], "replicates: at least 1, not 0"),
        ("replicates.0.experiences", ..., "replicates[0].experiences: it is missing"),
        ("replicates.0.seen", 1, "replicates[0].seen must be at least 2"),
        (
            "replicates.0.moments",
            [[1, 2, 3]],
            "replicates[0].moments must be a list of 2",
        ),
        (
            f"{FIRST}.accuracy",
            ...,
            "replicates[0].experiences[0].accuracy: it is missing",
        ),
        (f"{FIRST}.accuracy", 93.7, "accuracy: must be at most 1.0, not 93.7"),
        (f"{FIRST}.accuracy", True, "accuracy: must be a number, not true"),
        (
            f"{FIRST}.architecture",
            ["x"],
            "architecture must be a list of 2 options, not of 1",
        ),
        (f"{FIRST}.architecture", ["x", "s"], "b has no option 's'; one of p, q, r"),
        (
            f"{FIRST}.architecture",
            ["x", [1]],
            "architecture[1]: must be text, not a list",
        ),
        (f"{FIRST}.task", "else", "no task 'else'"),
        (f"{FIRST}.kept", "all", "kept: must be 'best' or 'sample', not 'all'"),
        (f"{FIRST}.step", -1, "step: must be at least 0, not -1"),
        (f"{FIRST}.step", "3", "step: must be a whole number, not '3'"),
        (f"{FIRST}.note", "mine", "experiences[0].note: no such field"),
        ("replicates.0.experiences.1.kept", "best", "cannot be among the best"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(
    path: str, value: object, words: str
) -> None:
    with pytest.raises(Refused) as refusal:
        read_knowledge(changed(path, value))
    assert words in refusal.value.message and "\n" not in refusal.value.message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (json.dumps(small()).replace("0.5", "NaN").encode(), "NaN is not allowed"),
        (json.dumps(small()).replace("0.5", "1e999").encode(), "too large"),
        (b"[1, 2]", "must be a JSON object"),
        (b"\xff\xfeA", "UTF-16"),
        (b"\xff{}", "not UTF-8"),
        (b"{", "not JSON"),
    ],
)
def test_bytes_that_are_no_knowledge_base_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read_knowledge(data)


def test_a_whole_number_may_be_written_with_a_point() -> None:
    told = read_knowledge(changed(f"{FIRST}.step", 3.0))
    assert told.entries[0].step.tolist() == [3, 0]


def test_a_file_with_fields_of_its_own_that_was_stored_earlier_is_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path))
    data = changed(f"{FIRST}.note", "mine")
    digest = sha256(data)
    store_bytes(own_path(digest, files.KIND), data)
    assert stored_knowledge(digest).experience_count(0) == 2
    with pytest.raises(Refused, match="no such field"):
        store_knowledge(data)


def test_too_large_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = json.dumps(small()).encode()
    (tmp_path / "k.json").write_bytes(data)
    monkeypatch.setattr(files, "LIMIT", len(data) - 1)
    with pytest.raises(Refused, match="at most"):
        read_knowledge(data)
    with pytest.raises(Refused, match=r"k\.json has .* at most"):
        path_bytes(tmp_path / "k.json", files.LIMIT)
    with pytest.raises(Refused, match="cannot be read"):
        path_bytes(tmp_path / "gone.json", files.LIMIT)


def test_it_is_kept_once_and_found_by_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path))
    data = json.dumps(small()).encode()
    digest = store_knowledge(data)
    assert (
        store_knowledge(data) == digest and stored_knowledge(digest).space.name == "toy"
    )
    with pytest.raises(Refused, match="import its file"):
        stored_knowledge("0" * 64)
    own_path(digest, files.KIND).write_bytes(b"{}")
    with pytest.raises(Refused, match="damaged"):
        stored_knowledge(digest)
    with pytest.raises(Refused):
        store_knowledge(b"{}")
    assert len(list((tmp_path / "own").iterdir())) == 1


def test_knowledge_of_another_space_is_refused() -> None:
    told = read_knowledge(json.dumps(small()).encode())
    with pytest.raises(Refused, match="'toy'; the searched space is 'NK landscape'"):
        import_base(told, drawn("nk_landscape", 1, 1), 1, SIZES)


def test_knowledge_that_does_not_fit_the_knobs_says_which_would() -> None:
    tasks, base = drawn("nk_landscape", 1, 1), made()
    evaluator = tasks.evaluator
    told = read_knowledge(export_base(base, evaluator.space, evaluator.tasks))
    for sizes in (BaseSizes(5, 25), BaseSizes(6, 30), BaseSizes(6, 20)):
        with pytest.raises(Refused, match="best kept to 6 and the capacity to 26"):
            import_base(told, tasks, 1, sizes)
