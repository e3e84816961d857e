"""The three public calls, and a knowledge base that leaves a run and starts another."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine import __main__
from engine.catalogue import find_card
from engine.contract.errors import Refused
from engine.contract.parsing import parse_spec
from engine.contract.rng import Rng
from engine.contract.run_keys import run_key
from engine.executors.in_process import settle_spec
from engine.executors.stop_signal import StopSignal
from engine.executors.worker import play
from engine.executors.worker_functions import load_toolkit
from engine.knowledge import (
    Experience,
    History,
    SearchState,
    extract_patterns,
    new_meta,
    recall,
    suggest_next,
    update_policy,
)
from engine.protocol import Meta, Space
from engine.store import Store

SPACE = Space("toy", ("a", "b", "c"), (("x", "y", "z", "w"),) * 3)
OTHER = Space("other", ("a", "b", "c"), (("x", "y", "z", "w"),) * 3)


def score(codes: tuple[int, ...]) -> float:
    """Return an accuracy: the higher the options, the better."""
    return 0.3 + 0.05 * sum(codes)


def history(count: int = 200, seed: int = 0) -> History:
    rng = np.random.default_rng(seed)
    codes = [tuple(row) for row in rng.integers(0, 4, (count, 3)).tolist()]
    made = tuple(Experience(c, score(c), step=i) for i, c in enumerate(codes))
    return History(SPACE, made)


def searched(meta: Meta, evaluations: int, seed: int) -> list[float]:
    """Search the toy space with suggestions alone; return the best so far."""
    trained: tuple[Experience, ...] = ()
    for _ in range(evaluations):
        state = SearchState(SPACE, trained, seeds=3)
        codes = suggest_next(meta, state, Rng(seed))
        trained = (*trained, Experience(codes, score(codes)))
    return np.maximum.accumulate([float(e.accuracy or 0) for e in trained]).tolist()


def test_the_first_suggestions_are_the_best_known() -> None:
    meta = update_policy(new_meta(SPACE), history())
    trained: tuple[Experience, ...] = ()
    for _ in range(3):
        codes = suggest_next(meta, SearchState(SPACE, trained, seeds=3), Rng(1))
        trained = (*trained, Experience(codes, score(codes)))
    known = sorted({e.architecture for e in history().experiences}, key=score)
    found = sorted(score(e.architecture) for e in trained)
    assert found == pytest.approx(sorted(score(c) for c in known[-3:]))


def test_knowledge_shortens_the_search_and_its_absence_does_not_break_it() -> None:
    bare, meta = new_meta(SPACE), update_policy(new_meta(SPACE), history())
    without = np.mean([searched(bare, 12, s)[5] for s in range(12)])
    with_it = np.mean([searched(meta, 12, s)[5] for s in range(12)])
    assert with_it > without + 0.05


def test_without_seeds_the_prior_alone_leads_to_better_architectures() -> None:
    """The base says which options are good; each change draws from them."""
    meta = update_policy(new_meta(SPACE, best=5), history())
    own = Experience((0, 0, 0), score((0, 0, 0)))
    state = SearchState(SPACE, (own,), seeds=0)
    raised = {"known": 0, "bare": 0}
    for name, knowledge in (("known", meta), ("bare", new_meta(SPACE))):
        for s in range(200):
            codes = suggest_next(knowledge, state, Rng(s))
            raised[name] += 3 in codes
    assert raised["known"] > 1.3 * raised["bare"]


def test_a_suggestion_is_a_function_of_its_arguments() -> None:
    meta = update_policy(new_meta(SPACE), history())
    state = SearchState(SPACE, history(12, 3).experiences)
    one, two = (suggest_next(meta, state, Rng(4)) for _ in range(2))
    assert one == two
    assert len({suggest_next(meta, state, Rng(s)) for s in range(30)}) > 3


def test_what_was_trained_is_not_suggested_again() -> None:
    meta = update_policy(new_meta(SPACE), history())
    trained = history(30, 5).experiences
    tried = {e.architecture for e in trained}
    for s in range(20):
        assert suggest_next(meta, SearchState(SPACE, trained), Rng(s)) not in tried


def test_one_by_one_is_the_same_as_at_once() -> None:
    meta = new_meta(SPACE, best=5, capacity=40)
    whole = update_policy(meta, history())
    pieces = meta
    for experience in history().experiences:
        pieces = update_policy(pieces, History(SPACE, (experience,)))
    for name, tensor in whole.weights.items():
        np.testing.assert_allclose(pieces.weights[name], tensor, rtol=1e-9)


def test_knowledge_is_not_changed_in_place_and_does_not_grow() -> None:
    meta = new_meta(SPACE, best=5, capacity=40)
    later = update_policy(meta, history())
    assert meta.weights["seen"].item() == 0 and later.weights["seen"].item() == 200
    shapes = {name: t.shape for name, t in meta.weights.items()}
    assert {name: t.shape for name, t in later.weights.items()} == shapes
    assert update_policy(later, History(SPACE, ())) is later


def test_patterns_name_the_planted_effect() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (300, 3))
    good = 0.6 + 0.2 * (codes[:, 1] == 2) + rng.normal(0, 0.02, 300)
    made = tuple(
        Experience(tuple(c), float(a))
        for c, a in zip(codes.tolist(), good, strict=True)
    )
    found = extract_patterns(History(SPACE, made))
    assert found.motifs[0].at == ((1, 2),)
    effect = found.motifs[0].effect
    assert effect.low < 0.2 < effect.high
    assert found.principles[0].startswith("Prefer b = z: +")


def test_what_is_recalled_is_the_sample_and_teaches_the_same() -> None:
    meta = update_policy(new_meta(SPACE, best=10, capacity=110), history(400))
    found = recall(meta, SPACE, ("task 1",))
    assert len(found.experiences) == 100
    words = [m.words for m in extract_patterns(found).motifs if m.is_significant]
    assert "a = w" in words and "a = x" in words


@pytest.mark.parametrize(
    ("experience", "words"),
    [
        (Experience((0, 1), 0.5), "not an architecture of toy"),
        (Experience((0, 1, 4), 0.5), "not an architecture of toy"),
        (Experience((0, 1, 2), 93.0), "must be from 0 to 1"),
        (Experience((0, 1, 2), float("nan")), "must be from 0 to 1"),
        (Experience((0, 1, 2), 0.5, task=3), "no task number 3"),
    ],
)
def test_an_experience_that_does_not_fit_is_refused(
    experience: Experience, words: str
) -> None:
    given = History(SPACE, (experience,))
    with pytest.raises(Refused, match=words):
        update_policy(new_meta(SPACE), given)
    with pytest.raises(Refused, match=words):
        extract_patterns(given)


def test_knowledge_of_another_space_is_refused() -> None:
    meta = update_policy(new_meta(SPACE), history())
    with pytest.raises(Refused, match="another space than other"):
        suggest_next(meta, SearchState(OTHER), Rng(1))
    with pytest.raises(Refused, match="no knowledge base"):
        suggest_next(Meta({}, {}), SearchState(SPACE), Rng(1))


RUN = {
    "family": {"name": "nk_landscape"},
    "learners": [
        {"name": "warm_evolution", "knobs": {"best": 10, "capacity": 60}},
        {"name": "random_search", "role": "baseline"},
    ],
    "budget": {
        "task_evaluations": 4,
        "tasks_per_step": 2,
        "validation_tasks": 2,
        "test_tasks": 2,
        "horizon": 12,
    },
    "replicates": 2,
    "seed": 3,
}


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run a command; return its exit code and what it wrote."""
    code = __main__.main(words)
    caught = capsys.readouterr()
    return code, caught.out, caught.err


def played(store: Store, body: dict[str, object]) -> str:
    """Queue a run and let a worker of this process play it."""
    spec = settle_spec(parse_spec(json.dumps(body)))
    store.submit(spec, run_key(spec, find_card))
    claim = store.claim()
    assert claim is not None
    play(store, claim, load_toolkit(), StopSignal())
    return claim.key


def test_a_base_leaves_one_run_and_starts_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    store, file = Store.open(), tmp_path / "base.json"
    key = played(store, RUN)
    words = ["knowledge", "export", key[:12], "warm_evolution", str(file)]
    assert told(words, capsys)[0] == 0
    code, printed, _ = told(["knowledge", "import", str(file)], capsys)
    learner = json.loads(printed)
    assert code == 0 and learner["knobs"]["capacity"] == 10 + 48

    again = RUN | {"learners": [learner]}
    again["budget"] = RUN["budget"] | {"task_evaluations": 0}  # type: ignore[operator]
    other = played(store, again)
    first = store.artefact(key, "warm_evolution").arrays
    second = store.artefact(other, "warm_evolution").arrays
    np.testing.assert_array_equal(first["codes"][:, :58], second["codes"])
    np.testing.assert_array_equal(first["moments"], second["moments"])

    code, printed, _ = told(["knowledge", "patterns", str(file)], capsys)
    assert code == 0 and "replicate 1: 48 experiences" in printed
    code, _, complaint = told(
        ["knowledge", "export", key[:12], "random_search", str(file)], capsys
    )
    assert code == 2 and "has no frozen learner" in complaint


def test_a_bad_file_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    file = tmp_path / "base.json"
    file.write_text('{"kind": "knowledge", "format": 9}')
    code, printed, complaint = told(["knowledge", "import", str(file)], capsys)
    assert code == 2 and "reads up to 1" in complaint and not printed
    assert not (tmp_path / "home" / "own").exists()
