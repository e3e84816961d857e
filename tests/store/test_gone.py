"""A store whose folder is moved away: it says so, and nothing is made in its place."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.contract.events import Event
from engine.contract.jobs import JobState
from engine.executors.stop_signal import StopSignal
from engine.executors.supervisor_control import start_supervisor, stop_supervisor
from engine.executors.worker import play
from engine.store import Recorder, Store, StoreError, StoreGone
from tests.store import fake


@pytest.fixture
def away(home: Path) -> Path:
    return home.with_name("away")


def test_no_question_and_no_write_makes_a_moved_store_again(
    store: Store, home: Path, away: Path
) -> None:
    fake.submit(store, 1)
    claim = store.claim()
    recorder = store.recorder(claim)
    recorder.add(next(fake.run(fake.spec(1), None)))
    assert store.cache.set("a", 1)
    home.rename(away)
    asked = (
        store.jobs,
        store.sweep,
        store.check,
        store.claim,
        store.check_in_place,
        recorder.flush,
        lambda: fake.submit(store, 2),
        lambda: store.delete(claim.key),
        lambda: store.spec(claim.key),
        lambda: start_supervisor(home),
        lambda: Store.open(home, store.identity),
    )
    for ask in asked:
        with pytest.raises(StoreGone, match=f"its folder {home} was moved or deleted"):
            ask()
    assert not store.cache.set("b", 2)
    assert store.cache.get("a") is None
    assert not Store.open(away).cache.folder.parent.samefile(home.parent)
    assert stop_supervisor(home)
    assert not home.exists()


def test_another_store_in_its_place_is_not_taken_for_it(
    store: Store, home: Path, away: Path
) -> None:
    key = fake.submit(store, 1)
    home.rename(away)
    other = Store.open(home)
    for ask in (store.jobs, lambda: fake.submit(store, 2), lambda: store.job(key)):
        with pytest.raises(StoreGone, match="now holds another store") as gone:
            ask()
        assert gone.value.replaced
    with pytest.raises(StoreGone):
        Store.open(home, store.identity)
    assert not store.cache.set("a", 1)
    assert other.jobs() == []
    assert Store.open(away, store.identity).count() == 1


def test_a_store_that_is_put_back_is_used_again(
    store: Store, home: Path, away: Path
) -> None:
    key = fake.played(store, 1)
    store.cache.set("a", 1)
    home.rename(away)
    with pytest.raises(StoreGone):
        store.job(key)
    away.rename(home)
    assert fake.stored(store, key) == fake.unbroken(fake.spec(1))
    assert store.cache.get("a") == 1
    fake.submit(store, 2)
    assert store.count() == 2


def test_a_run_whose_store_moves_resumes_when_it_is_back(
    store: Store, home: Path, away: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder, "is_due", lambda self: True)
    monkeypatch.setattr("engine.store.recorder.CHECKPOINT_EVERY", 0.0)
    key = fake.submit(store, 1)

    def moved_at_nine(*asked: object, **more: object) -> Iterator[Event]:
        for step, event in enumerate(fake.run(*asked, **more)):
            if step == 9 * 4:  # a step yields four events
                home.rename(away)
            yield event

    with pytest.raises(StoreGone):
        play(store, store.claim(), replace(fake.TOOLS, run=moved_at_nine), StopSignal())
    assert not home.exists()
    away.rename(home)
    assert store.job(key).state == JobState.RUNNING  # no failure is filed
    store.index.write(lambda db: db.execute("UPDATE leases SET pid = 2 << 22"))
    store.sweep()
    claim = store.claim()
    assert claim.checkpoint.state["step"] > 5
    play(store, claim, fake.TOOLS, StopSignal())
    assert fake.stored(store, key) == fake.unbroken(fake.spec(1))


def test_a_folder_that_holds_no_store_is_left_as_it_is(
    store: Store, home: Path, away: Path
) -> None:
    home.rename(away)
    home.mkdir()
    for ask in (
        store.jobs,
        lambda: start_supervisor(home),
        lambda: fake.submit(store, 1),
    ):
        with pytest.raises(StoreError, match="gone"):
            ask()
    assert not store.cache.set("a", 1)
    assert list(home.iterdir()) == []
