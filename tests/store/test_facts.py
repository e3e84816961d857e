"""What lists show of a run is stored with it, and found by what it says."""

import sqlite3
import time
from pathlib import Path

import pytest

from engine.contract.jobs import JobState
from engine.contract.run_answer import Answer
from engine.contract.run_facts import Question
from engine.store import RunGroups, Store, annotations, repair
from engine.store.listing import (
    JobFilter,
    NumberFilter,
    Order,
    all_tags,
    count,
    facts_of,
    jobs,
)
from tests.store import fake
from tests.torture import scale

CLEAN = {"family": "", "shift": "", "severity": 0.0}


def summary(value: float, call: str = "better") -> dict[str, object]:
    """Return a summary whose primary claim compares 1.0 with a value."""
    claim = {
        "learner": "walk",
        "against": "sgd",
        "metric": "area",
        "condition": CLEAN,
        "call": call,
        "difference": value - 1.0,
        "low": None,
        "high": 0.0,
        "level": 0.95,
        "primary": True,
        "n_replicates": 2,
        "n_tasks": 3,
    }
    rows = {"walk": {"area": {"mean": value}}, "sgd": {"area": {"mean": 1.0}}}
    tested = [{"condition": CLEAN, "learners": rows}]
    return {"claims": [claim], "conditions": tested, "replicates": 2}


def finish(store: Store, seed: int, value: float, call: str = "better") -> str:
    """Store a finished run with such a summary."""
    key = fake.submit(store, seed)
    claim = store.claim()
    assert claim is not None
    texts = {"summary": summary(value, call)}
    store.recorder(claim).finish(JobState.DONE, texts)
    return key


def test_a_finished_run_has_its_answer_and_a_waiting_one_its_question(
    store: Store,
) -> None:
    done, waiting = finish(store, 1, 0.25), fake.submit(store, 2)
    found = facts_of(store.index, [done, waiting, "f" * 64])
    assert found.keys() == {done, waiting}
    assert found[waiting].question == Question("fake", ("walk",), ("sgd",))
    assert (found[waiting].answer, found[waiting].numbers) == (None, {})
    assert found[done].answer == Answer(
        "walk", "sgd", "area", "better", 0.25, -0.75, None, 0.0, 0.95, 2, 3, 1.0
    )
    assert found[done].numbers == {"area": 0.25, "replicates": 2, "difference": -0.75}


@pytest.mark.parametrize(
    ("relation", "expected"),
    [("<", [0.1]), ("≤", [0.1, 0.2]), (">", [0.3]), ("≥", [0.2, 0.3]), ("=", [0.2])],
)
def test_runs_are_found_by_a_number(
    store: Store, relation: str, expected: list[float]
) -> None:
    held = {finish(store, n, n / 10): n / 10 for n in (1, 2, 3)}
    fake.submit(store, 9)  # without a number: never found by one
    asked = JobFilter(number=NumberFilter("area", relation, 0.2))
    found = jobs(store.index, asked, 10, 0)
    assert sorted(held[job.key] for job in found) == expected
    assert count(store.index, asked) == len(expected)
    assert count(store.index, asked._replace(number=NumberFilter("x'", "<", 1))) == 0


def test_lists_are_sorted_by_any_column_and_gaps_come_last(store: Store) -> None:
    waiting = fake.submit(store, 9)
    store.cancel(waiting)
    best, worst, middle = (
        finish(store, seed, value, call)
        for seed, value, call in (
            (1, 0.1, "better"),
            (2, 0.9, "worse"),
            (3, 0.5, "equal"),
        )
    )
    for by in ("value", "call", "difference"):
        for descending, order in (
            (False, [best, middle, worst]),
            (True, [worst, middle, best]),
        ):
            ask = Order(by, descending)
            found = jobs(store.index, JobFilter(), 10, 0, ask)
            assert [job.key for job in found] == [*order, waiting], (by, descending)
            entries = RunGroups(store.index).entries(JobFilter(), 10, 0, ask)
            assert entries == found


def test_tags_and_note_are_searched_cleaned_and_kept_by_a_new_start(
    store: Store,
) -> None:
    key = finish(store, 1, 0.5)
    other = fake.submit(store, 2)
    hostile = "<b>'; DROP TABLE runs --\u202e"
    given = annotations.annotate(
        store.index, key, ("paper", hostile, "a,b", " paper "), "First\x00 line\n50 %"
    )
    assert given.tags == ("paper", "<b>'; DROP TABLE runs --", "a b")
    assert given.note == "First line\n50 %"
    for text in ("paper", "drop", "50 %", "first LINE"):
        assert [job.key for job in store.jobs(text=text)] == [key], text
    assert [j.key for j in jobs(store.index, JobFilter(tag="paper"), 9, 0)] == [key]
    assert count(store.index, JobFilter(tag="pape")) == 0
    assert all_tags(store.index) == sorted(given.tags)
    store.submit(fake.spec(1), key, again=True)
    assert annotations.read_annotations(store.index, key) == given
    assert annotations.read_annotations(store.index, other).tags == ()
    store.delete(key)
    assert all_tags(store.index) == []


def test_facts_survive_a_rebuilt_index(store: Store) -> None:
    key = finish(store, 1, 0.5)
    annotations.annotate(store.index, key, ("kept",), "")
    before = facts_of(store.index, [key])
    store.index.path.write_bytes(b"no database" * 100)
    repair.check_store(store.index, deep=False)
    assert facts_of(store.index, [key]) == before
    assert before[key].tags == ("kept",)


def test_damaged_facts_are_left_out_and_written_anew(store: Store) -> None:
    key = finish(store, 1, 0.5)
    before = facts_of(store.index, [key])
    with sqlite3.connect(store.index.path) as db:
        db.execute("UPDATE facts SET body = replace(body, '0.5', '0.7')")
    db.close()
    assert facts_of(store.index, [key]) == {}
    repair.check_store(store.index, deep=False)
    assert facts_of(store.index, [key]) == before


def test_an_older_store_gets_the_facts_of_its_runs(home: Path) -> None:
    store = Store.open(home)
    key = finish(store, 1, 0.5)
    before = facts_of(store.index, [key])
    with sqlite3.connect(store.index.path) as db:
        db.execute("DROP TABLE facts")
        db.execute("PRAGMA user_version=1")
    db.close()
    migrated = Store.open(home)
    assert migrated.check() == []
    assert facts_of(migrated.index, [key]) == before
    assert list((home / "backups").glob("*schema-1*"))


def test_many_runs_are_filtered_and_sorted_soon(store: Store) -> None:
    scale.fill(store, 2_000)
    ask = JobFilter(text="digits run", number=NumberFilter("area", "<", 1.0))
    start = time.monotonic()
    count(store.index, ask)
    RunGroups(store.index).entries(JobFilter(), 25, 0, Order("value"))
    assert time.monotonic() - start < 0.3
