"""In the demo, a run ends at its limits; what it has computed stays."""

from pathlib import Path

import pytest

from engine.contract.jobs import JobState
from engine.executors import demo, run_limits
from engine.store import Store
from tests.store import fake


def limited(monkeypatch: pytest.MonkeyPatch, **changes: float) -> None:
    monkeypatch.setenv("METASCOPE_MODE", "demo")
    found = demo.demo_limits()._replace(**changes)
    monkeypatch.setattr(run_limits, "demo_limits", lambda: found)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "home")


@pytest.mark.parametrize(
    ("limit", "knobs", "said"),
    [
        ({"run_seconds": 0.3}, {"pause": 0.1, "steps": 50}, "min that a run"),
        ({"run_disk": 50_000}, {"pause": 0.1, "steps": 50, "bulk": 2000}, "may write"),
    ],
)
def test_a_run_ends_at_its_limit_and_keeps_what_it_computed(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    limit: dict[str, float],
    knobs: dict[str, float],
    said: str,
) -> None:
    limited(monkeypatch, **limit)
    key = fake.played(store, 1, **knobs)
    job = store.job(key)
    assert job.state == JobState.FAILED
    assert said in job.error
    assert "\n" not in job.error
    assert len(store.blocks(key)[0]) > 0
    assert job.done < 0.9


def test_a_local_run_has_no_limits(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, run_seconds=0.0, run_disk=0)
    monkeypatch.setenv("METASCOPE_MODE", "local")
    assert store.job(fake.played(store, 1)).state == JobState.DONE


def test_a_worker_of_the_demo_may_need_no_more_memory_than_a_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("METASCOPE_DEMO_RUN_MEMORY_MIB", "700")
    monkeypatch.delenv("METASCOPE_WORKER_MIB", raising=False)
    assert demo.worker_settings() == {}
    monkeypatch.setenv("METASCOPE_MODE", "demo")
    assert demo.worker_settings() == {"METASCOPE_WORKER_MIB": "700"}
    monkeypatch.setenv("METASCOPE_WORKER_MIB", "600")
    assert demo.worker_settings() == {"METASCOPE_WORKER_MIB": "600"}
