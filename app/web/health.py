"""Whether the server answers, and whether it can compute: /healthz and /readyz."""

import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

PATHS = frozenset({"/healthz", "/readyz"})
INTERVAL = 5.0  # seconds for which an answer holds, however often it is asked for
Report = dict[str, Any]


def health_routes(base: str) -> list[BaseRoute]:
    """Return the routes, also without the app's base path: checks do not know it."""
    readiness = Readiness(report_readiness)

    async def answer_health(request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok", headers={"Cache-Control": "no-store"})

    def answer_readiness(request: Request) -> JSONResponse:
        report = readiness.report()
        status = 200 if report["ready"] else 503
        return JSONResponse(report, status, {"Cache-Control": "no-store"})

    return [
        route
        for prefix in dict.fromkeys(["", base])
        for route in (
            Route(f"{prefix}/healthz", answer_health),
            Route(f"{prefix}/readyz", answer_readiness),
        )
    ]


def is_health_check(scope: Scope, base: str) -> bool:
    """Whether a request asks for the server's health."""
    path = str(scope["path"])
    return path in PATHS or path.removeprefix(base) in PATHS


class Readiness:
    """The newest report, made again every few seconds at most.

    Args:
        make: Makes a report.
    """

    def __init__(self, make: Callable[[], Report]) -> None:
        self._make, self._lock = make, threading.Lock()
        self._made, self._report = -INTERVAL, Report()

    def report(self) -> Report:
        """Return it."""
        with self._lock:
            if not self._report or time.monotonic() - self._made > INTERVAL:
                self._report, self._made = self._make(), time.monotonic()
            return self._report


def report_readiness() -> Report:
    """Return whether runs can be stored and computed; nothing about any visitor.

    Returns:
        ready: Whether all of the following are well.
        store: "ok", or "read-only" or "unusable".
        engine: "ok", "no supervisor" or "no worker".
        queued: How many runs wait.
        running: How many are computed.
    """
    # Not before someone asks: a missing package must not keep the page from saying so.
    from app.client import engine_process, process_store
    from engine.contract.jobs import JobState
    from engine.executors import supervisor
    from engine.store import StoreError

    try:
        held = process_store.shared_store()
        held.check_in_place()
        queued = held.count([JobState.QUEUED])
        running = held.count([JobState.RUNNING])
    except (StoreError, OSError):
        return {"ready": False, "store": "unusable", "engine": "unknown"}
    store = "ok" if _is_writable(held.home) else "read-only"
    # A server that is not ready gets no visitors, who would start the engine.
    engine_process.ensure_supervisor(held.home)
    status = supervisor.supervisor_status(held.home)
    engine = "ok" if status.workers else "no worker"
    engine = engine if status else "no supervisor"
    ready = (store, engine) == ("ok", "ok")
    counts = {"queued": queued, "running": running}
    return {"ready": ready, "store": store, "engine": engine, **counts}


def _is_writable(home: Path) -> bool:
    """Try to write: permissions alone do not tell a full disk."""
    path = home / f".ready-{secrets.token_hex(4)}"
    try:
        path.write_bytes(b"ready")
        os.unlink(path)
    except OSError:
        return False
    return True
