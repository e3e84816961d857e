"""The public demo in a browser: the app runs under the policy that its server sets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page

from app.web.visitor_cookie import COOKIE, FORM
from tests.browser.conftest import PATIENCE, serve_app, settle

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the demo below a path, as a proxy may want it; return its address."""
    home = tmp_path_factory.mktemp("demo") / "home"
    with serve_app(home, "meta/lab", METASCOPE_MODE="demo") as address:
        yield address


@pytest.fixture
def page(demo: str, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    yield opened
    context.close()


def test_films_charts_and_downloads_work_under_the_policy(
    demo: str, page: Page, tmp_path: Path
) -> None:
    complaints = list[str]()

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    def note(error: Error) -> None:
        complaints.append(str(error))

    page.on("console", listen)
    page.on("pageerror", note)
    for path in ("/", "/lab", "/claims", "/learn"):
        page.goto(demo + path)
        settle(page)
    page.goto(f"{demo}/lab?tab=Reproduce")
    settle(page)
    page.wait_for_selector(".metascope-plot .main-svg")  # its figure is fetched
    with page.expect_download() as download:
        page.get_by_role("button", name="Report").click()
    download.value.save_as(tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size > 10**6
    assert not complaints


def test_a_visitor_keeps_one_cookie_that_no_script_can_read(
    demo: str, page: Page
) -> None:
    page.goto(demo + "/")
    settle(page)
    page.goto(demo + "/lab")
    settle(page)
    (held,) = [each for each in page.context.cookies() if each["name"] == COOKIE]
    assert FORM.fullmatch(held["value"]) and held["path"] == "/meta/lab"
    assert held["httpOnly"] and held["sameSite"] == "Lax"
    assert COOKIE not in page.evaluate("document.cookie")
