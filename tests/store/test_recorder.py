"""How often a run is written follows from how long that takes."""

import time
from types import SimpleNamespace

import pytest

from engine.contract.events import Note
from engine.store import Store, recorder
from tests.store import fake


class Clock:
    """A clock that is moved by hand."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("took", "wait"),
    [(0.0, 0.4), (0.015, 0.4), (0.1, 2.0), (5.0, 10.0)],
)
def test_a_run_waits_twenty_times_as_long_as_its_last_write_took(
    store: Store, monkeypatch: pytest.MonkeyPatch, took: float, wait: float
) -> None:
    clock = Clock()
    patched = SimpleNamespace(monotonic=clock.monotonic, time=time.time)
    monkeypatch.setattr(recorder, "time", patched)
    fake.submit(store, 1)
    writer = store.recorder(store.claim())
    real = store.index.write

    def slow(change: object, **more: object) -> object:
        clock.now += took
        return real(change, **more)

    monkeypatch.setattr(writer._index, "write", slow)
    writer.add(Note("train", 0.1))
    clock.now += 1.5
    assert writer.is_due()
    writer.flush()
    clock.now += wait - 0.01
    assert not writer.is_due()
    clock.now += 0.02
    assert writer.is_due()


def test_the_first_second_is_written_sooner(store: Store) -> None:
    fake.submit(store, 1)
    writer = store.recorder(store.claim())
    writer._ticked -= 0.2  # the checks of a run take a while
    writer.add(Note("begin", 0.0))
    assert not writer.is_due()
    writer._ticked -= 0.2
    assert writer.is_due()
    writer._began -= 1.0
    assert not writer.is_due()
    writer._ticked -= 0.3
    assert writer.is_due()


def age_leases(store: Store, seconds: float) -> None:
    """Make every lease so many seconds older."""
    aging = "UPDATE leases SET began = began - ?"
    store.index.write(lambda db: db.execute(aging, (seconds,)))


def test_the_time_left_is_that_of_the_work_without_the_loading_before_it(
    store: Store,
) -> None:
    key = fake.submit(store, 1)
    writer = store.recorder(store.claim())
    age_leases(store, 1000.0)  # so long the engine took to load
    writer.add(Note("train", 0.0))
    writer.flush()
    assert store.progress(key).eta is None  # too early to tell
    writer._began -= 10.0
    writer.add(Note("train", 0.1))
    writer.flush()
    assert store.progress(key).eta == pytest.approx(90, abs=10)
