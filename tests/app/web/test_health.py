"""Health checks say whether runs can be computed, and nothing else."""

import json
from pathlib import Path

import pytest
from starlette.routing import Router

from app.client import engine_process, process_store
from app.web import health
from app.web.health import Readiness, health_routes, report_readiness
from engine.executors import supervisor
from engine.executors.supervisor_control import SupervisorStatus
from engine.store import Store
from tests.app.web.asgi import ask, request


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store.open(tmp_path / "home")
    monkeypatch.setattr(process_store, "shared_store", lambda: made)
    monkeypatch.setattr(engine_process, "ensure_supervisor", lambda home: "warm")
    status = SupervisorStatus(True, workers=1)
    monkeypatch.setattr(supervisor, "supervisor_status", lambda home: status)
    return made


def test_a_lab_that_computes_is_ready(store: Store) -> None:
    before = sorted(store.home.iterdir())
    assert report_readiness() == {
        "ready": True,
        "store": "ok",
        "engine": "ok",
        "queued": 0,
        "running": 0,
    }
    assert sorted(store.home.iterdir()) == before


@pytest.mark.parametrize(
    ("status", "engine"),
    [
        (SupervisorStatus(False), "no supervisor"),
        (SupervisorStatus(True, workers=0), "no worker"),
    ],
)
def test_without_a_worker_it_is_not(
    store: Store, status: SupervisorStatus, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "supervisor_status", lambda home: status)
    report = report_readiness()
    assert (report["ready"], report["engine"]) == (False, engine)


def test_on_a_full_disk_or_without_its_store_it_is_not(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_is_writable", lambda home: False)
    report = report_readiness()
    assert (report["ready"], report["store"]) == (False, "read-only")
    store.home.rename(store.home.with_name("moved"))
    report = report_readiness()
    assert (report["ready"], report["store"]) == (False, "unusable")


def test_checks_answer_with_and_without_the_base_path(store: Store) -> None:
    app = Router(health_routes("/base"))
    for prefix in ("", "/base"):
        assert ask(app, request(f"{prefix}/healthz")).text == "ok"
        ready = ask(app, request(f"{prefix}/readyz"))
        assert (ready.status, json.loads(ready.text)["ready"]) == (200, True)


def test_asking_often_costs_one_look() -> None:
    looks = []
    readiness = Readiness(lambda: {"ready": bool(looks.append(1))})
    assert [readiness.report() for _ in range(100)] == [{"ready": False}] * 100
    assert len(looks) == 1
