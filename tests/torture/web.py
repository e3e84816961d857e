"""The web server killed again and again; a run must not notice."""

import socket
import urllib.request
from pathlib import Path

from engine.contract.jobs import JobState
from engine.store import Store
from tests.store import fake
from tests.torture.items import (
    Outcome,
    SkippedError,
    is_in,
    item,
    process,
    supervisor,
    until,
    until_done,
)

PAGE = Path("app") / "main.py"


@item("A3", "SIGKILL of the web server over a running run", full=50, quick=1)
def kill_web_servers(home: Path, count: int) -> Outcome:
    """Start the page, open it, kill it; one attempt must play the whole run."""
    if not (fake.root() / PAGE).exists():
        raise SkippedError("there is no app/main.py yet")
    store = Store.open(home)
    key = fake.submit(store, 3, steps=60 * (count + 1), pause=0.05)
    with supervisor(home) as one:
        until(is_in(store, key, JobState.RUNNING))
        for _ in range(count):
            port = free_port()
            words = ("streamlit", "run", str(PAGE), "--server.headless", "true")
            port_words = ("--server.port", str(port), "--server.address", "127.0.0.1")
            with process(home, *words, *port_words) as server:
                until(lambda p=port: _healthy(p), 60)
                server.kill()
        second = _other_supervisors(home, one.pid)
        until_done(store, key)
    job = store.job(key)
    same = fake.stored(store, key) == fake.unbroken(store.spec(key))
    figures = f"{count} kills: {job.state}, {job.attempt} attempt, rows equal: {same}"
    return Outcome(same and job.attempt == 1 and not second, figures)


def _other_supervisors(home: Path, pid: int) -> bool:
    from engine.executors.supervisor import supervisor_status

    return supervisor_status(home).pid != pid


def free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/_stcore/health", timeout=2
        ):
            return True
    except OSError:
        return False
