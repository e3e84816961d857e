"""What a node does with a batch; nothing of Ray is imported unless it is asked for."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.contract.errors import Refused
from engine.contract.events import Checkpoint, Event, Note
from engine.data.sources.checksums import sha256
from engine.executors import node
from engine.executors.ray_environment import load_ray_cluster
from tests.in_memory_run_cache import InMemoryRunCache
from tests.laws.small import spec_of
from tests.store import fake

ROOT = Path(__file__).resolve().parents[2]
CSV = b"a,b,price\n" + b"".join(b"%d,%d,%d\n" % (i, -i, i % 7) for i in range(900))


def compute_batch(*asked: Any, first: bool) -> Iterator[Event]:
    return fake.run(*asked)


TOOLS = replace(fake.TOOLS, compute_batch=compute_batch)


def notes(count: int) -> list[Event]:
    return [Note("train", i / count) for i in range(count)]


def test_events_arrive_in_order_and_a_checkpoint_at_once() -> None:
    events = [*notes(3), Checkpoint({}, {}), *notes(2)]
    sent = list(node.collect_events(events, interval=1e9))
    assert [len(message) for message in sent] == [4, 2]
    assert [event for message in sent for event in message] == events
    assert [len(m) for m in node.collect_events(events, interval=0.0)] == [1] * 6


def test_a_batch_is_computed_as_the_engine_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "_toolkit", lambda: TOOLS)
    request = node.BatchRequest(fake.spec(1), None, first=True)
    fingerprint, *messages = node.compute_request(request, InMemoryRunCache(), {})
    assert fingerprint == {"device": "cpu", "threads": 1}
    assert fake.rows([e for m in messages for e in m if hasattr(e, "axes")]) == (
        fake.unbroken(fake.spec(1))
    )


def test_own_files_are_fetched_once_and_kept_by_their_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, fetched = sha256(CSV), []

    def fetch() -> bytes:
        fetched.append(1)
        return CSV

    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path))
    monkeypatch.setattr(node, "_toolkit", lambda: TOOLS)
    request = node.BatchRequest(fake.spec(1), None, first=True)
    for _ in range(2):
        files = {f"{digest}.csv": fetch}
        list(node.compute_request(request, InMemoryRunCache(), files))
    assert fetched == [1]
    assert (tmp_path / "own" / f"{digest}.csv").read_bytes() == CSV
    wish = spec_of(family={"name": "own_data", "knobs": {"digest": digest}})
    assert node.named_own_files(wish) == [f"{digest}.csv"]
    assert node.named_own_files(spec_of()) == []


def test_a_file_that_was_changed_on_its_way_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path))
    monkeypatch.setattr(node, "_toolkit", lambda: TOOLS)
    request = node.BatchRequest(fake.spec(1), None, first=True)
    files = {f"{sha256(CSV)}.csv": lambda: CSV + b"1,2,3\n"}
    with pytest.raises(Refused, match="was changed on its way"):
        list(node.compute_request(request, InMemoryRunCache(), files))
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize(
    ("address", "mode", "said"),
    [
        ("ray://10.0.0.1:10001", "token", "must be a node of the cluster"),
        ("10.0.0.1:6379", "disabled", "a cluster without a token computes what anyone"),
    ],
)
def test_a_cluster_that_cannot_be_trusted_is_refused(
    address: str, mode: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", mode)
    monkeypatch.setattr("engine.executors.ray_environment.find_spec", bool)
    with pytest.raises(Refused, match=said):
        load_ray_cluster(address)


def test_without_ray_the_command_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.executors.ray_environment.find_spec", lambda name: None)
    with pytest.raises(Refused, match=r"pip install -r requirements-ray\.txt"):
        load_ray_cluster("")


def test_nothing_of_ray_is_imported_unless_it_is_asked_for() -> None:
    importing = re.compile(
        r"^\s*(import|from) (ray\b|engine\.executors\.ray_(?!env))", re.M
    )
    found = {
        path.name
        for path in (ROOT / "engine").rglob("*.py")
        if importing.search(path.read_text())
    }
    assert found == {"ray_batches.py", "ray_cluster.py"}
