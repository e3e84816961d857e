"""The operator of a demo sees how it does, and nothing of its visitors."""

import json
import os
import time
from pathlib import Path

import pytest

from engine import __main__
from engine.contract.jobs import JobState
from engine.executors import demo_status
from engine.store import Store
from engine.store.errors import QueueFull
from engine.store.fair_queue import Quota
from engine.store.workspaces import WorkspaceStore
from tests.store import fake

ANN = "a1b2" * 8


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("METASCOPE_MODE", "demo")
    monkeypatch.setattr(demo_status, "_commit", lambda: "abc1234")
    return Store.open(tmp_path / "home")


def busy_visitor(store: Store) -> WorkspaceStore:
    """Return a visitor with a running and a waiting run, refused a third one."""
    ann = WorkspaceStore(store, ANN, quota=Quota(1, 1))
    for seed in (1, 2):
        ann.submit(fake.spec(seed), fake.key(fake.spec(seed)), "my secret title")
    store.recorder(store.claim()).flush()
    with pytest.raises(QueueFull):
        fake.submit(ann, 3)
    return ann


def collected(store: Store) -> set[str]:
    return set(demo_status.collect_status(store))


def test_the_status_counts_and_names_nobody(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    busy_visitor(store)
    assert __main__.main(["demo", "status", "--json"]) == 0
    text = capsys.readouterr().out
    found = json.loads(text)
    assert found["mode"] == {"METASCOPE_MODE": "demo"}
    assert found["limits"]["run_minutes"] == 10
    assert found["limits"]["run_memory_mib"] == 1024
    asked = ("waiting", "running", "refused_since_start")
    assert [found["queue"][name] for name in asked] == [1, 1, 1]
    assert found["runs_of_24_hours"] == {"queued": 1, "running": 1}
    assert found["workspaces"] == {"count": 1}
    assert 0 < found["store"]["mib"] < found["store"]["limit_mib"]
    assert {"metascope", "python", "torch", "streamlit"} <= found["versions"].keys()
    assert "secret" not in text
    assert ANN[:6] not in text


def test_the_status_is_one_screen(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    busy_visitor(store)
    assert __main__.main(["demo", "status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    begun = {line[:18].strip() for line in lines}  # a line that goes on is set in
    assert begun - {""} == {name.replace("_", " ") for name in collected(store)}
    assert any("waiting 1" in line and "running 1" in line for line in lines)


def test_empty_deletes_what_is_idle_for_that_long(store: Store) -> None:
    ann = busy_visitor(store)
    assert __main__.main(["demo", "empty", "--idle-hours", "2"]) == 0
    assert ann.home.exists()
    past = time.time() - 3 * 3600
    os.utime(ann.home / "index.sqlite", (past, past))
    assert __main__.main(["demo", "empty", "--idle-hours", "2"]) == 0
    assert not ann.home.exists()
    assert store.count([JobState.CANCELLED]) == 2
