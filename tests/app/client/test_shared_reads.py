"""People who watch the same run share what is read of it."""

from pathlib import Path

import pytest

from app.charts import CHARTS
from app.charts.chart_options import ViewState
from app.client import client
from app.client.shared_reads import SharedReads
from engine.contract.jobs import JobState
from engine.store import Store


def test_a_value_is_read_again_only_when_it_is_too_old() -> None:
    reads, seen = SharedReads[int](8), list[int | None]()

    def read(before: int | None) -> int:
        seen.append(before)
        return len(seen)

    assert [reads.get(("a",), read) for _ in range(2)] == [1, 1]
    assert reads.get(("a",), read, 3600.0) == 1
    assert reads.get(("a",), read, 0.0) == 2
    reads.forget("a")
    reads.get(("a",), read)
    assert seen == [None, 1, None]


def test_the_least_recently_used_is_dropped_first() -> None:
    reads = SharedReads[str](2)
    for name in ("a", "b", "a", "c"):
        reads.get((name,), lambda before: "first")
    assert [reads.get((n,), lambda before: "again") for n in ("a", "b")] == [
        "first",
        "again",
    ]


def test_two_visitors_of_a_run_get_the_same_figures(home: Path, key: str) -> None:
    first, second = client.run(key), client.run(key)
    assert first.blocks is second.blocks
    made = [
        [each.figure for each in CHARTS[run.kind.name].main_charts(run, ViewState())]
        for run in (first, second)
    ]
    assert made[0]
    assert all(a is b for a, b in zip(*made, strict=True))


def test_another_result_under_the_same_key_is_not_taken_for_the_first(
    home: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = client.run(key)
    client.submit_completed((before.spec, key), again=True)
    queued = client.run(key)
    assert queued.job is not None
    assert queued.job.state == JobState.QUEUED
    assert not queued.blocks
    assert queued.cache_key != before.cache_key


def test_titles_and_states_stay_those_of_ones_own_store(home: Path, key: str) -> None:
    client.run(key)
    Store.open(home).rename(key, "Another title")
    renamed = client.run(key).job
    assert renamed is not None
    assert renamed.title == "Another title"
