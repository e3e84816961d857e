"""What only a browser shows of the form: typing, the keyboard and the drawer."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from engine.store import Store
from tests.browser.conftest import Open, form, settle

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
MOST_TABS = 12


def open_budget(page: Page) -> Page:
    """Open all settings at the budget."""
    form(page).get_by_role("button", name="All settings").click()
    page.get_by_role("tab", name="Budget").click()
    settle(page)
    return page


def test_what_is_typed_outside_its_range_never_runs(visit: Open, home: Path) -> None:
    page = open_budget(visit("/lab"))
    horizon = page.get_by_role("spinbutton", name="Horizon")
    run = page.locator(".st-key-run_button_dialog button")
    for typed in ("0", "2.5", "", "1e30"):
        horizon.fill(typed)
        page.keyboard.press("Control+Enter")
        settle(page)
        reason = page.locator(".st-key-runbar_dialog [role=alert]")
        expect(reason).to_contain_text("Horizon must be a whole number from 1 to 5000")
        expect(run).to_be_disabled()
        expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    assert Axe().run(page).violations_count == 0
    horizon.fill("21")
    horizon.press("ArrowUp")
    expect(horizon).to_have_value("22")
    expect(run).to_be_enabled()
    horizon.fill("23")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("Changed: horizon")).to_be_visible()
    settle(page)  # the keyboard's Run is drawn last
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Cancel").click()
    (key,) = parse_qs(urlsplit(page.url).query)["run"]
    assert Store.open(home).spec(key).budget.horizon == 23


def test_the_keyboard_reaches_run_soon(visit: Open) -> None:
    page = form(visit("/lab"))
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        focus = page.locator(":focus")
        if focus.inner_text() == "Skip to Run":
            page.keyboard.press("Enter")
        if focus.inner_text().splitlines()[-1:] == ["Ctrl + Enter"]:
            return
    pytest.fail(f"Run is not among the first {MOST_TABS} stops")


def test_on_a_phone_the_form_closes_after_run(visit: Open) -> None:
    page = visit("/lab", width=390)
    page.get_by_test_id("stExpandSidebarButton").click()
    form(page).get_by_role("textbox", name="Seed").fill("161803")
    page.locator(".st-key-run_button button").click()
    page.get_by_role("button", name="Cancel").click()  # what lies under the form
    expect(page.get_by_test_id("stExpandSidebarButton")).to_be_visible()
