import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract.jobs import ALIVE, FINAL, MOVES, IllegalTransition, JobState
from engine.store import LeaseLost, NoRun, Store, listing
from tests.store import fake

WISHES = ("submit", "claim", "cancel", "resume", "tick", "done", "fail", "pause")
LIKELY = st.sampled_from(("claim", "claim", *WISHES))  # little can happen before it


def test_a_run_goes_from_the_click_to_its_rows(store: Store) -> None:
    key = fake.submit(store, 1)
    assert store.job(key).state == JobState.QUEUED
    assert fake.played(store, 1) == key
    assert store.job(key).state == JobState.DONE
    assert fake.stored(store, key) == fake.unbroken(fake.spec(1))
    assert store.summary(key)["seed"] == 1
    assert store.fingerprint(key) == {"device": "cpu", "threads": 1}
    assert store.progress(key).done == 1.0
    assert [t.seconds for t in store.timings(key)] == [0.5]


def test_three_clicks_are_one_job(store: Store) -> None:
    assert len({fake.submit(store, 1) for _ in range(3)}) == 1
    assert store.count() == 1
    key = fake.played(store, 1)
    again = store.submit(fake.spec(1), key)
    assert again.state == JobState.DONE
    assert again.attempt == 1


def test_a_click_that_looked_too_early_changes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = fake.submit(store, 1)
    recorder = store.recorder(store.claim())
    looks = [lambda *asked: None]  # as if the other click came between look and write
    real = listing.job
    with monkeypatch.context() as early:
        early.setattr(listing, "job", lambda *a: looks.pop()(*a) if looks else real(*a))
        assert fake.submit(store, 1) == key
    assert not looks
    assert store.job(key).state == JobState.RUNNING
    recorder.flush()


def test_again_computes_a_finished_run_anew(store: Store) -> None:
    key = fake.played(store, 1)
    job = store.submit(fake.spec(1), key, again=True)
    assert job.state == JobState.QUEUED
    assert store.blocks(key) == ([], 0)
    assert store.summary(key) is None


def test_jobs_are_played_in_the_order_of_their_clicks(store: Store) -> None:
    keys = [fake.submit(store, seed) for seed in range(3)]
    assert [store.job(key).position for key in keys] == [1, 2, 3]
    assert [store.claim().key for _ in keys] == keys
    assert store.claim() is None


def test_a_cancelled_worker_can_write_no_row(store: Store) -> None:
    key = fake.submit(store, 1)
    recorder = store.recorder(store.claim())
    for event in fake.run(fake.spec(1), None):
        recorder.add(event)
    assert store.cancel(key).state == JobState.CANCELLED
    with pytest.raises(LeaseLost):
        recorder.flush()
    with pytest.raises(LeaseLost):
        recorder.finish(JobState.DONE, {})
    assert store.blocks(key) == ([], 0)
    assert store.job(key).state == JobState.CANCELLED
    assert not list(store.folder(key).glob("*.arrow"))


def test_a_replaced_worker_cannot_write_into_its_successors_run(store: Store) -> None:
    key = fake.submit(store, 1)
    old = store.recorder(store.claim())
    store.cancel(key)
    store.resume(key)
    new = store.recorder(store.claim())
    for event in fake.run(fake.spec(1), None):
        old.add(event)
        new.add(event)
    with pytest.raises(LeaseLost):
        old.flush()
    new.finish(JobState.DONE, {})
    assert fake.stored(store, key) == fake.unbroken(fake.spec(1))


def test_a_done_run_cannot_be_resumed_or_cancelled(store: Store) -> None:
    key = fake.played(store, 1)
    with pytest.raises(IllegalTransition):
        store.resume(key)
    assert store.cancel(key).state == JobState.DONE


@pytest.mark.parametrize("state", sorted(JobState))
def test_a_run_can_be_deleted_from_every_state(store: Store, state: JobState) -> None:
    key = _in_state(store, state)
    assert store.job(key).state == state
    store.delete(key)
    assert store.job(key) is None
    assert not store.folder(key).exists()
    with pytest.raises(NoRun):
        store.spec(key)
    assert fake.played(store, 1) == key
    assert fake.stored(store, key) == fake.unbroken(fake.spec(1))


@pytest.mark.parametrize("state", sorted(set(JobState) - FINAL))
def test_a_run_can_be_cancelled_from_every_state_that_is_not_final(
    store: Store, state: JobState
) -> None:
    key = _in_state(store, state)
    assert store.cancel(key).state == JobState.CANCELLED
    assert store.resume(key).state == JobState.QUEUED


def _in_state(store: Store, state: JobState) -> str:
    """Force a state, as its row would be left by whatever leads to it."""
    from dataclasses import replace

    from engine.store import run_rows

    key = fake.submit(store, 1)
    if state != JobState.QUEUED:
        store.recorder(store.claim()).flush()
    store.index.write(
        lambda db: run_rows.put(db, replace(run_rows.get(db, key), state=str(state)))
    )
    return key


@pytest.mark.parametrize("key", ["../../etc/passwd", "a" * 63, "A" * 64, "", "\0" * 64])
def test_a_strange_id_is_no_run(store: Store, key: str) -> None:
    assert store.job(key) is None
    for ask in (store.spec, store.blocks, store.cancel, store.resume, store.delete):
        with pytest.raises(NoRun):
            ask(key)
    with pytest.raises(NoRun):
        store.submit(fake.spec(1), key)


def test_whatever_is_wished_only_legal_moves_happen(store: Store) -> None:
    moves: set[tuple[JobState, JobState]] = set()

    @settings(max_examples=25, deadline=None)
    @given(wishes=st.lists(LIKELY, min_size=4, max_size=10), salt=st.integers(0))
    def check(wishes: list[str], salt: int) -> None:
        seed = random.Random(salt).randrange(10**9)
        key = fake.submit(store, seed)
        holders = []
        for wish in wishes:
            before = store.job(key).state
            _wish(store, key, seed, wish, holders)
            after = store.job(key).state
            assert before == after or (before, after) in _reachable()
            assert (store.job(key).beat is not None) == (after == JobState.RUNNING)
            moves.add((before, after))
        store.delete(key)

    check()
    running = {after for before, after in moves if before == JobState.RUNNING}
    assert len(running) >= 3


def _reachable() -> set[tuple[JobState, JobState]]:
    """Moves, and those through LOST that a sweep makes in one step."""
    return set(MOVES)


def _wish(store: Store, key: str, seed: int, wish: str, holders: list) -> None:
    recorder = holders[-1] if holders else None
    try:
        if wish == "submit":
            fake.submit(store, seed)
        elif wish == "claim" and store.job(key).state == JobState.QUEUED:
            holders.append(store.recorder(store.claim()))
        elif wish in ("cancel", "resume"):
            getattr(store, wish)(key)
        elif recorder and wish == "tick":
            recorder.flush()
        elif recorder and wish in ("done", "fail"):
            recorder.finish(JobState("done" if wish == "done" else "failed"), {})
        elif recorder and wish == "pause":
            recorder.end_early(JobState.PAUSED, "disk full")
    except IllegalTransition:
        assert wish == "resume"
    except LeaseLost:
        assert wish in ("tick", "done", "fail", "pause")


def test_every_state_can_be_left_or_is_final() -> None:
    leaving = {before for before, _ in MOVES}
    assert set(JobState) - leaving == {JobState.DONE, JobState.DIVERGED}
    assert not ALIVE & FINAL
