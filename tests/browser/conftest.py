"""A real server, a real engine and a real browser; one of each for all tests."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from engine.contract.jobs import ALIVE
from engine.executors import supervisor
from engine.store import Store
from tests.server_answer import wait_for_answer

ROOT = Path(__file__).resolve().parents[2]
SETTLED = (
    "[data-testid=stApp][data-test-connection-state=CONNECTED]"
    "[data-test-script-state=notRunning]"
)
PATIENCE = 60_000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the store that the app uses."""
    return tmp_path_factory.mktemp("browser") / "home"


def installation() -> dict[Path, int]:
    """Return when each file of the installation was last written."""
    rooms = [ROOT / name for name in (".streamlit", "app", "engine", "pages")]
    files = [file for room in rooms for file in room.rglob("*") if file.is_file()]
    return {file: file.stat().st_mtime_ns for file in files if file.suffix != ".pyc"}


@pytest.fixture(scope="session")
def installed() -> dict[Path, int]:
    """Return what the installation held before the app was started."""
    return installation()


@pytest.fixture(scope="session")
def server(home: Path, installed: dict[Path, int]) -> Iterator[str]:
    """Start the app from another folder; end it and its engine afterwards."""
    with serve_app(home) as address:
        yield address


@contextmanager
def serve_app(home: Path, base: str = "", **settings: str) -> Iterator[str]:
    """Serve the app for a while, from a folder that is not its own.

    Args:
        home: The folder of its store; its log lies beside it.
        base: The path under which it stands, as behind a proxy.
        settings: Further environment variables.

    Yields:
        Its address.
    """
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app/main.py")]
    command += ["--server.headless", "true", "--server.port", str(port)]
    command += ["--server.baseUrlPath", base]
    variables = {**os.environ, "METASCOPE_HOME": str(home), **settings}
    with (home.parent / "server.log").open("wb") as log:
        started = subprocess.Popen(
            command, cwd=home.parent, env=variables, stdout=log, stderr=log
        )
    try:
        url = f"http://127.0.0.1:{port}/{base}".rstrip("/")
        wait_for_answer(url, started)
        yield url
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(20)
        supervisor.stop_supervisor(home)


@pytest.fixture(autouse=True)
def idle_engine(home: Path) -> Iterator[None]:
    """Cancel what a test left queued or running: the next would wait behind it."""
    yield
    if home.exists():
        store = Store.open(home)
        for job in store.jobs(ALIVE, kind=None):
            store.cancel(job.key)


Open = Callable[..., Page]


@pytest.fixture
def visit(server: str, browser: Browser) -> Iterator[Open]:
    """Return a function that opens a path in a fresh session."""
    contexts = []

    def go(path: str = "/", width: int = 1280, scheme: str = "light") -> Page:
        size = {"width": width, "height": 844}
        context = browser.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(server + path)
        settle(page)
        return page

    yield go
    for context in contexts:
        context.close()


def settle(page: Page) -> None:
    """Wait until the page has answered and stays so for a moment."""
    page.wait_for_selector(SETTLED)
    page.wait_for_timeout(400)
    page.wait_for_selector(SETTLED)


def form(page: Page) -> Page:
    """Wait for the experiment's form."""
    page.wait_for_selector(".st-key-run_button button:enabled")
    settle(page)
    return page


def choose_kind(page: Page, title: str) -> Page:
    """Choose a kind of task in the Lab's form."""
    form(page).get_by_role("radio", name=title).click()
    return form(page)


def start(page: Page, preset: str) -> None:
    """Choose a shipped experiment and run it from the keyboard."""
    form(page).locator(".st-key-preset input").first.click()
    page.get_by_role("option", name=preset).click()
    settle(page)
    page.keyboard.press("Control+Enter")
