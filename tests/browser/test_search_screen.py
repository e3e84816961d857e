"""The page of searches in a real browser: from the keyboard to the cell, on a phone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PATIENCE, Open, choose_kind, settle, start
from tests.browser.test_screen import badge, sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SMOKE = "Searches in a few seconds"


@pytest.fixture(scope="module")
def search_run(server: str, browser: Browser) -> str:
    """Run the small search once; return its link."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{server}/lab")
    start(choose_kind(page, "Architecture search"), SMOKE)
    badge(page, "done").wait_for(timeout=180_000)
    url = page.url.removeprefix(server)
    page.close()
    return url


def test_a_search_goes_from_the_keyboard_to_its_architecture(
    visit: Open, search_run: str
) -> None:
    assert re.fullmatch(r"/lab\?run=[0-9a-f]{64}", search_run)
    page = visit(search_run)
    expect(page.locator(".verdict-line")).to_contain_text("evolution")
    plot = page.locator(".st-key-film .metascope-plot").first
    plot.scroll_into_view_if_needed()  # what is far below is not drawn yet
    told = page.locator(".st-key-film").get_by_text(re.compile(r"evaluation \d+ of"))
    expect(told.first).to_have_text(re.compile(r"evaluation 1 of \d+$"))
    page.get_by_role("button", name="Play").first.click()
    expect(told.first).to_have_text(re.compile(r"evaluation (\d+) of \1$"))


@pytest.mark.parametrize("old", ["/", "/search"])
def test_a_link_of_an_earlier_release_opens_its_run(
    visit: Open, search_run: str, old: str
) -> None:
    page = visit(search_run.replace("/lab", old))
    page.wait_for_url(re.compile(r"/lab\?run="))
    expect(page.locator(".verdict-line")).to_contain_text("evolution")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_a_finished_search_is_sound_and_needs_no_sideways_scroll(
    visit: Open, search_run: str, scheme: str, width: int
) -> None:
    page = visit(search_run, scheme=scheme, width=width)
    settle(page)
    assert sideways(page) <= 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
