"""In the demo, what the app reads is the store of the visitor who asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.client import client, process_store
from app.client.process_store import Visitor
from engine.store import NoRun, Store
from tests.store import fake


@pytest.fixture
def shared_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Serve the demo from a store of its own; Ann asks."""
    store = Store.open(tmp_path / "home")
    monkeypatch.setenv("METASCOPE_MODE", "demo")
    monkeypatch.setattr(process_store, "_stores", {"store": store})
    monkeypatch.setattr(process_store._Demo, "find_visitor", lambda: Visitor("a" * 32))
    return store


def ask_as(monkeypatch: pytest.MonkeyPatch, who: Visitor) -> None:
    monkeypatch.setattr(process_store._Demo, "find_visitor", lambda: who)


def test_another_visitor_sees_a_run_by_its_token_alone(
    shared_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = fake.submit(process_store.store(), 1)
    fake.played(shared_store, 1)
    assert [job.key for job in client.jobs()[0]] == [key]
    assert client.owns(key)
    token = process_store.make_share_token(key)
    ask_as(monkeypatch, Visitor("b" * 32))
    assert client.jobs() == ([], 0)
    with pytest.raises(NoRun):
        client.run(key)
    assert not process_store.opens_run(key, token[:-1] + "x")
    assert process_store.opens_run(key, token)
    ask_as(monkeypatch, Visitor("b" * 32, {key}))
    assert client.run(key).blocks
    assert not client.owns(key)
    with pytest.raises(NoRun):
        client.cancel(key)


def test_what_ships_is_everyones_once_it_is_computed(
    shared_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = fake.played(shared_store, 2)
    assert client.job(key) is None
    monkeypatch.setattr(process_store._Demo, "is_public", lambda asked: asked == key)
    assert client.job(key) is not None


def test_a_local_lab_has_one_store(
    shared_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("METASCOPE_MODE")
    assert process_store.store() is shared_store
