"""A knowledge base as a file: it comes back as it was, or one sentence says why not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.algorithms.search.knowledge.base import (
    Base,
    Experiences,
    Sizes,
    empty_base,
    remember,
)
from engine.algorithms.search.knowledge.import_export import base_of, knowledge_of
from engine.contract.errors import Refused
from engine.data.user import knowledge_file as files
from engine.data.user.csv_store import own_path
from engine.data.user.knowledge_file import (
    kept_knowledge,
    knowledge_path,
    read_knowledge,
    store_knowledge,
    written,
)
from tests.laws.test_search_families import drawn

SIZES = Sizes(6, 26)


def small() -> dict[str, Any]:
    """Return a file that a person might write."""
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


def made(replicates: int = 2, count: int = 40) -> Base:
    """Return a base of the tiny landscapes, a failed training among it."""
    evaluator = drawn("nk_landscape", 1, 1).evaluator
    rng = np.random.default_rng(0)
    shape = (replicates, count)
    accuracy = rng.random(shape)
    accuracy[:, 3] = np.nan
    found = Experiences(
        evaluator.space.codes(rng.integers(0, evaluator.space.size, shape)),
        accuracy,
        rng.integers(0, len(evaluator.tasks), shape),
        np.tile(np.arange(count), (replicates, 1)),
        rng.integers(0, 4, shape),
        np.ones(shape, bool),
    )
    base = empty_base(evaluator.space, replicates, SIZES, len(evaluator.tasks))
    return remember(base, found, rng.random(shape))


@pytest.mark.parametrize("count", [12, 40])
def test_a_base_comes_back_from_its_file_bit_for_bit(count: int) -> None:
    tasks, base = drawn("nk_landscape", 1, 1), made(count=count)
    evaluator = tasks.evaluator
    data = written(knowledge_of(base, evaluator.space, evaluator.tasks))
    again = base_of(read_knowledge(data), tasks, 2, SIZES)
    for name, one, two in zip(Base._fields, base, again, strict=True):
        np.testing.assert_array_equal(one, two, err_msg=name)


def test_fewer_replicates_are_repeated() -> None:
    tasks, base = drawn("nk_landscape", 1, 1), made()
    evaluator = tasks.evaluator
    told = knowledge_of(base, evaluator.space, evaluator.tasks)
    many = base_of(told, tasks, 3, SIZES)
    np.testing.assert_array_equal(many.codes[2], base.codes[0])


def test_what_a_person_wrote_is_completed() -> None:
    told = read_knowledge(json.dumps(small()).encode())
    (kept,) = told.replicates
    assert kept.codes.tolist() == [[0, 2], [1, 0]] and kept.seen == 2
    assert not kept.best.any() and np.isnan(kept.accuracy[1])
    assert kept.moments.tolist() == [[1.0, 0.5, 0.0], [0.0, 0.0, 0.0]]


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
        ("format", ..., "has no field 'format'"),
        ("kind", "run", "no knowledge base"),
        ("space", ..., "has no field 'space'"),
        ("space", [], "space must be a JSON object"),
        ("space.options", [["x"]], "options must be a list of 2"),
        ("space.options.1", ["p", "p", "r"], "a name twice"),
        ("space.edges", [[0, 1]], "edges must be a list of 2"),
        ("space.positions", [], "list of 1 to"),
        ("tasks", "near", "tasks must be a list"),
        ("replicates", [], "replicates must be a list of 1 to 64"),
        ("replicates.0.experiences", ..., "replicate 1 has no field 'experiences'"),
        ("replicates.0.seen", 1, "seen must be a number from 2"),
        ("replicates.0.moments", [[1, 2, 3]], "moments must be a list of 2"),
        (f"{FIRST}.accuracy", ..., "experience 1 has no field 'accuracy'"),
        (f"{FIRST}.accuracy", 93.7, "a number from 0 to 1, not 93.7"),
        (f"{FIRST}.accuracy", True, "a number from 0 to 1, not True"),
        (f"{FIRST}.architecture", ["x"], "must be a list of 2"),
        (f"{FIRST}.architecture", ["x", "s"], "b has no option 's'; one of p, q, r"),
        (f"{FIRST}.architecture", ["x", [1]], "b has no option"),
        (f"{FIRST}.task", "else", "no task 'else'"),
        (f"{FIRST}.kept", "all", 'kept must be "best" or "sample"'),
        (f"{FIRST}.step", -1, "step must be a number from 0"),
        ("replicates.0.experiences.1.kept", "best", "not among the best"),
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
        (json.dumps(small()).replace("0.5", "NaN").encode(), "NaN is not a number"),
        (json.dumps(small()).replace("0.5", "1e999").encode(), "too large"),
        (b"[1, 2]", "must be a JSON object"),
        (b"\xff\xfeA", "UTF-16"),
        (b"\xff{}", "not UTF-8"),
        (b"{", "not JSON"),
    ],
)
def test_what_is_no_json_of_ours_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read_knowledge(data)


def test_too_large_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = json.dumps(small()).encode()
    (tmp_path / "k.json").write_bytes(data)
    monkeypatch.setattr(files, "LIMIT", len(data) - 1)
    with pytest.raises(Refused, match="at most"):
        read_knowledge(data)
    with pytest.raises(Refused, match=r"k\.json has .* at most"):
        knowledge_path(tmp_path / "k.json")
    with pytest.raises(Refused, match="cannot be read"):
        knowledge_path(tmp_path / "gone.json")


def test_it_is_kept_once_and_found_by_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path))
    data = json.dumps(small()).encode()
    digest = store_knowledge(data)
    assert store_knowledge(data) == digest and kept_knowledge(digest).space == "toy"
    with pytest.raises(Refused, match="import its file"):
        kept_knowledge("0" * 64)
    own_path(digest, files.KIND).write_bytes(b"{}")
    with pytest.raises(Refused, match="damaged"):
        kept_knowledge(digest)
    with pytest.raises(Refused):
        store_knowledge(b"{}")
    assert len(list((tmp_path / "own").iterdir())) == 1


def test_knowledge_of_another_space_is_refused() -> None:
    told = read_knowledge(json.dumps(small()).encode())
    with pytest.raises(Refused, match="'toy'; what is searched is 'NK landscape'"):
        base_of(told, drawn("nk_landscape", 1, 1), 1, SIZES)


def test_knowledge_that_does_not_fit_the_knobs_says_which_would() -> None:
    tasks, base = drawn("nk_landscape", 1, 1), made()
    told = knowledge_of(base, tasks.evaluator.space, tasks.evaluator.tasks)
    for sizes in (Sizes(5, 25), Sizes(6, 30), Sizes(6, 20)):
        with pytest.raises(Refused, match="best kept to 6 and the capacity to 26"):
            base_of(told, tasks, 1, sizes)
