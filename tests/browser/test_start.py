"""The app as it stands when it was started from a folder that is not its own."""

from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, installation

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def listens_on(process: psutil.Process) -> list[tuple[str, int]]:
    """Return where a process takes connections; nowhere if it ended or is not ours."""
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        found = process.net_connections("tcp")
        return [tuple(c.laddr) for c in found if c.status == psutil.CONN_LISTEN]
    return []


def test_the_app_listens_on_this_machine_alone(server: str) -> None:
    ours = psutil.Process().children(recursive=True)
    ports = {address for process in ours for address in listens_on(process)}
    port = urlsplit(server).port
    assert {ip for ip, where in ports if where == port} == {"127.0.0.1"}


def test_the_app_collects_no_statistics(server: str, home: Path) -> None:
    said = (home.parent / "server.log").read_text(encoding="utf-8")
    assert "127.0.0.1" in said
    assert "statistics" not in said


def test_start_leads_to_a_chart_and_the_installation_is_left_alone(
    visit: Open, installed: dict[Path, int]
) -> None:
    page = visit("/")
    film = page.locator("img.start-film")
    expect(film).to_have_count(3)
    expect(film.first).to_be_visible()
    drawn = "pictures => pictures.every(each => each.complete && each.naturalWidth)"
    assert film.evaluate_all(drawn)
    page.locator(".st-key-open-few_shot").get_by_role("button").first.click()
    page.wait_for_selector(".metascope-plot .scatterlayer path.js-line")
    assert installation() == installed
