"""Shards: whoever computes the batches of a run, its rows are the same."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.catalogue import find_card
from engine.contract.errors import Refused
from engine.contract.events import Block, Event, Note
from engine.contract.jobs import JobState
from engine.contract.run_keys import run_key
from engine.contract.run_spec import RunSpec
from engine.executors import in_process
from engine.executors.cores import worker_count
from engine.executors.in_process import LocalRun
from engine.executors.shards import OwnBatch, ShardHelpers
from engine.executors.stop_signal import StopSignal
from engine.executors.worker import play
from engine.executors.worker_functions import Toolkit, load_toolkit
from engine.runner.batches import batch_specs, batches_ahead
from engine.stats.replicate_concatenation import join_batches
from engine.store import Store
from tests.laws.small import assert_same, spec_of
from tests.store import fake

Work = Callable[[Store], None]


def batched(**fields: Any) -> RunSpec:
    """Return a tiny run of up to four batches of two, which is never decided."""
    rows: dict[str, Any] = {
        "family": {"name": "quadratic"},
        "learners": [
            {"name": "lr_scale"},
            {"name": "sgd", "role": "baseline", "knobs": {"tuning": "tuned"}},
        ],
        "budget": {"task_evaluations": 8},
        "replicates": 8,
        "looks": [2, 4, 6, 8],
    }
    return spec_of(**(rows | fields))


def submit(store: Store, spec: RunSpec) -> str:
    return store.submit(spec, run_key(spec, find_card)).key


def tools_with(store: Store, work: Work) -> Toolkit:
    """Return the engine, where other workers do some work once the run has begun."""
    tools = load_toolkit()

    def run(*asked: Any, **more: Any) -> Iterator[Event]:
        for i, event in enumerate(tools.run(*asked, **more)):
            if i == 0:
                work(store)
            yield event

    return replace(tools, run=run)


def shards_played(count: int, tools: Toolkit | None = None) -> Work:
    """Return the work of playing some shards to their end."""

    def work(store: Store) -> None:
        for _ in range(count):
            claim = store.claim()
            assert claim is not None and claim.kind == "shard"
            play(store, claim, tools or load_toolkit(), StopSignal())

    return work


def play_run(store: Store, spec: RunSpec, work: Work) -> str:
    key = submit(store, spec)
    play(store, store.claim(), tools_with(store, work), StopSignal())
    return key


def rows_of(store: Store, key: str) -> dict[Any, np.ndarray]:
    """Return the numbers of a run, and of its frozen weights, by address."""
    blocks = join_batches(store.blocks(key)[0])
    rows = {("block", *b.address()): np.asarray(b.array) for b in blocks}
    for entry in store.artefacts(key):
        held = store.artefact(key, entry.name, entry.kind)
        if entry.kind == "frozen":
            rows |= {(entry.name, name): a for name, a in held.arrays.items()}
    return rows


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, np.ndarray]:
    """Return the rows of a run that one worker computed."""
    store = Store.open(tmp_path_factory.mktemp("alone") / "home")
    return rows_of(store, play_run(store, batched(), lambda store: None))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "home")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_rows_are_the_same_however_many_workers_computed_them(
    count: int, store: Store, alone: dict[Any, np.ndarray]
) -> None:
    key = play_run(store, batched(), shards_played(count))
    assert store.job(key).state == JobState.DONE
    assert_same(rows_of(store, key), alone)


def test_a_run_that_is_done_leaves_no_shard_behind(store: Store) -> None:
    key = play_run(store, batched(), shards_played(2))
    assert store.shards(key) == []
    assert store.count(kind="shard") == 0
    held = {path.name for path in (store.home / "runs").iterdir()}
    assert held == {job.key for job in store.jobs(kind=None)}


def test_a_resumed_command_waits_for_no_worker_of_the_one_before(
    tmp_path: Path,
) -> None:
    """Such a worker may be stopped, or killed where no supervisor notices."""
    spec = batched()
    command = LocalRun(spec, tmp_path / "out", lambda event: None, StopSignal())
    store = command.open_store(resume=False)
    submit(store, spec)
    claim = store.claim()
    ShardHelpers(store, claim).offer(batch_specs(spec)[1:])
    assert store.claim().kind == "shard"
    store.recorder(claim).release()
    command.open_store(resume=True)
    assert {job.state for job in store.shards(claim.key)} == {JobState.CANCELLED}


@pytest.mark.parametrize(("cores", "helpers"), [(1, 0), (2, 1), (16, 3)])
def test_a_command_starts_no_more_helpers_than_cores_or_batches(
    cores: int, helpers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def start_none(store: Store, count: int) -> AbstractContextManager[None]:
        asked.append(count)
        return nullcontext()

    monkeypatch.setattr(in_process, "core_count", lambda: cores)
    monkeypatch.setattr(in_process, "helper_workers", start_none)
    spec, out = batched(), tmp_path / "out"  # of four batches
    command = LocalRun(spec, out, lambda event: None, StopSignal(), jobs=8)
    command.play(command.open_store(resume=False))
    assert asked == [helpers]


def test_a_run_that_is_decided_leaves_the_other_batches_uncomputed(
    store: Store,
) -> None:
    slow = {"name": "sgd", "knobs": {"lr": 1e-3}}
    tuned = {"name": "sgd", "role": "baseline", "knobs": {"tuning": "tuned"}}
    key = play_run(store, batched(learners=[slow, tuned]), shards_played(1))
    held = {b.coords.get("replicate", (0.0,))[0] for b in store.blocks(key)[0]}
    assert held == {0.0, 2.0}
    assert store.count(kind="shard") == 0


@pytest.mark.parametrize("events", [40, 90])  # before and after the tuning's rows
def test_a_shard_that_was_given_up_goes_on_from_its_checkpoint(
    events: int, store: Store, alone: dict[Any, np.ndarray]
) -> None:
    tools, resumed = load_toolkit(), []

    def begin(store: Store) -> None:
        stop = StopSignal()

        def stopping(*asked: Any, **more: Any) -> Iterator[Event]:
            for i, event in enumerate(tools.compute_batch(*asked, **more)):
                yield event
                if i == events:
                    stop.request_stop()

        play(store, store.claim(), replace(tools, compute_batch=stopping), stop)
        (shard, *_) = [j for j in store.shards(key) if j.attempt]
        assert shard.state == JobState.QUEUED

    key = submit(store, batched())
    watched = tools_with(store, begin)
    follow = "engine.executors.shards.ShardHelpers.follow"

    def follow_and_note(self: Any, batch: RunSpec) -> Any:
        left = yield from real(self, batch)
        resumed.append(left.checkpoint)
        return left

    from engine.executors.shards import ShardHelpers

    real = ShardHelpers.follow
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(follow, follow_and_note)
        play(store, store.claim(), watched, StopSignal())
    assert any(point is not None and point.state["done"] for point in resumed)
    assert_same(rows_of(store, key), alone)


def test_a_run_that_waits_for_a_shard_computes_a_later_batch_itself(
    store: Store, alone: dict[Any, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    tools, others, kept = load_toolkit(), [], []

    def slowly(*asked: Any, **more: Any) -> Iterator[Event]:
        for event in tools.compute_batch(*asked, **more):
            time.sleep(0.02)
            yield event

    def begin(store: Store) -> None:
        claim = store.claim()
        slow = replace(tools, compute_batch=slowly)
        other = threading.Thread(target=play, args=(store, claim, slow, StopSignal()))
        other.start()
        others.append(other)

    finish = OwnBatch.finish
    monkeypatch.setattr(
        OwnBatch, "finish", lambda own: kept.append(own.key) or finish(own)
    )
    key = play_run(store, batched(), begin)
    for other in others:
        other.join()
    assert kept
    assert_same(rows_of(store, key), alone)


def test_a_shard_that_fails_is_computed_by_the_run_itself(
    store: Store, alone: dict[Any, np.ndarray]
) -> None:
    def fail(*asked: Any, **more: Any) -> Iterator[Event]:
        yield Note("begin", 0.0)
        raise MemoryError

    broken = replace(load_toolkit(), compute_batch=fail)
    key = play_run(store, batched(), shards_played(2, broken))
    assert store.job(key).state == JobState.DONE
    assert_same(rows_of(store, key), alone)


def test_a_shard_whose_file_is_damaged_is_computed_again(
    store: Store, alone: dict[Any, np.ndarray]
) -> None:
    def play_and_damage(store: Store) -> None:
        shards_played(1)(store)
        (shard,) = [j for j in store.shards(key) if j.state == JobState.DONE]
        (path,) = store.folder(shard.key).glob("*.arrow")
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.chmod(0o600)
        path.write_bytes(data)

    key = submit(store, batched())
    play(store, store.claim(), tools_with(store, play_and_damage), StopSignal())
    assert_same(rows_of(store, key), alone)


def test_a_run_that_was_killed_adopts_the_shards_that_went_on(
    store: Store, alone: dict[Any, np.ndarray]
) -> None:
    key, stop = submit(store, batched()), StopSignal()

    def work(store: Store) -> None:
        stop.request_stop()

    play(store, store.claim(), tools_with(store, work), stop)
    assert store.job(key).state == JobState.QUEUED
    claim = store.claim()  # the run comes first
    assert claim is not None and claim.key == key
    shards_played(3)(store)
    play(store, claim, load_toolkit(), StopSignal())
    assert_same(rows_of(store, key), alone)


def test_cancelling_a_run_cancels_its_shards_and_resuming_brings_them_back(
    store: Store, alone: dict[Any, np.ndarray]
) -> None:
    key = submit(store, batched())
    play(store, store.claim(), tools_with(store, lambda s: s.cancel(key)), StopSignal())
    assert {j.state for j in store.shards(key)} == {JobState.CANCELLED}
    store.resume(key)
    play(store, store.claim(), tools_with(store, shards_played(2)), StopSignal())
    assert_same(rows_of(store, key), alone)


def test_deleting_a_run_deletes_its_shards(store: Store) -> None:
    key = submit(store, batched())
    work = shards_played(1)

    def play_and_delete(store: Store) -> None:
        work(store)
        store.delete(key)

    play(store, store.claim(), tools_with(store, play_and_delete), StopSignal())
    assert store.count(kind="shard") == 0


def test_a_shard_whose_run_is_gone_is_tidied_away(store: Store) -> None:
    from engine.store import queue

    key = submit(store, batched())
    play(store, store.claim(), tools_with(store, lambda s: s.cancel(key)), StopSignal())
    queue.delete(store.index, key)  # as if the process died before the shards went
    assert store.count(kind="shard") == 3
    store.tidy()
    assert store.count(kind="shard") == 0


def test_a_shard_gives_way_to_a_run_that_waits(store: Store) -> None:
    tools = load_toolkit()
    states: list[JobState] = []

    def work(store: Store) -> None:
        shard = store.claim()
        assert shard is not None
        fake.submit(store, 1)

        def slow(*asked: Any, **more: Any) -> Iterator[Event]:
            for event in tools.compute_batch(*asked, **more):
                yield event
                files_written.extend([0] * isinstance(event, Block))

        play(store, shard, replace(tools, compute_batch=slow), StopSignal())
        states.append(store.job(shard.key).state)

    files_written: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.store.recorder.WAITS_PER_WRITE", 0.0)
        for tick in ("TICK", "FIRST_TICK"):
            patch.setattr(f"engine.store.recorder.{tick}", 0.0)
        play_run(store, batched(), work)
    assert states == [JobState.QUEUED]


def test_ordinary_runs_come_before_shards(store: Store) -> None:
    order: list[str] = []

    def work(store: Store) -> None:
        late = fake.submit(store, 1)
        assert store.job(late).position == 1
        claim = store.claim()
        assert claim is not None and claim.key == late
        order.append(claim.kind)
        play(store, claim, fake.TOOLS, StopSignal())

    play_run(store, batched(), work)
    assert order == ["run"]


def test_progress_with_shards_goes_up_and_ends_at_one(store: Store) -> None:
    done: list[float] = []
    tools = tools_with(store, shards_played(2))

    def watched(*asked: Any, **more: Any) -> Iterator[Event]:
        for event in tools.run(*asked, **more):
            if isinstance(event, Note):
                done.append(event.done)
            yield event

    submit(store, batched())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.executors.shards.LOOK", 0.0)
        play(store, store.claim(), replace(tools, run=watched), StopSignal())
    assert done == sorted(done) and done[-1] == 1.0
    assert max(done[1:3]) > 0.5  # both shards count at once


def test_never_more_batches_are_computed_in_vain_than_are_needed() -> None:
    looks = list(range(8, 72, 8))
    spec = batched(replicates=64, looks=looks)
    assert [batches_ahead(spec, i).stop for i in range(8)] == [4, 4, 6, *[8] * 5]
    fixed = batched(replicates=300, looks=[])
    assert batches_ahead(fixed, 0) == range(1, 5)  # all: nothing may end it before


def test_there_are_no_more_workers_than_the_memory_has_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("METASCOPE_WORKERS", raising=False)
    monkeypatch.setattr("engine.executors.cores.core_count", lambda: 8)
    monkeypatch.setattr("engine.executors.cores.machine_memory", lambda: 3 * 10**9)
    assert worker_count() == 3
    monkeypatch.setattr("engine.executors.cores.machine_memory", lambda: 10**8)
    assert worker_count() == 1


def test_how_many_workers_there_are_is_one_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("METASCOPE_WORKERS", "3")
    assert worker_count() == 3
    for wrong in ("0", "many", "-1", "1.5"):
        monkeypatch.setenv("METASCOPE_WORKERS", wrong)
        with pytest.raises(Refused, match="METASCOPE_WORKERS must be a whole number"):
            worker_count()
