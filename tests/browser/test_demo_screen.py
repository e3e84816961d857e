"""Two visitors of the demo, each in a browser of their own."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, form, serve_app, settle

# A run is computed, which takes a while beside other tests.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a demo of its own; end it and its engine afterwards."""
    home = tmp_path_factory.mktemp("demo") / "home"
    with serve_app(home, METASCOPE_MODE="demo") as address:
        yield address


def enter(browser: Browser, address: str, width: int = 1280) -> Page:
    """Open an address in a browser that was never here before."""
    size = {"width": width, "height": 844}
    page = browser.new_context(viewport=size).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    settle(page)
    return page


def copied_link(page: Page) -> str:
    """Return what Copy link of the run in view copies."""
    page.locator(".st-key-copy_link button").click()
    field = page.locator(".st-key-copy_link .metascope-copy-field")
    page.context.grant_permissions(["clipboard-read"])
    return str(page.evaluate("navigator.clipboard.readText()")) or field.input_value()


def test_a_run_is_seen_by_its_owner_and_by_whoever_has_its_link(
    demo: str, browser: Browser
) -> None:
    ann = enter(browser, f"{demo}/lab")
    ann.context.grant_permissions(["clipboard-read", "clipboard-write"])
    # Another seed than the recorded example's, which is everyone's.
    form(ann).get_by_role("textbox", name="Seed").fill("314")
    ann.keyboard.press("Enter")
    settle(ann)
    form(ann).get_by_role("radio", name="Quick").click()
    form(ann)
    ann.locator(".st-key-run_button button").click()
    expect(ann.locator(".st-key-compare_this")).to_be_visible(timeout=PATIENCE)
    settle(ann)
    run = ann.url.split("run=")[1][:64]
    link = copied_link(ann)
    assert f"run={run}" in link
    assert "share=" in link

    bob = enter(browser, f"{demo}/lab?run={run}")
    expect(bob.get_by_text("There is no run with this id.")).to_be_visible(
        timeout=PATIENCE
    )
    bob.goto(f"{demo}/runs")
    settle(bob)
    expect(bob.get_by_text("No run yet")).to_be_visible(timeout=PATIENCE)
    bob.goto(link)
    settle(bob)
    expect(bob.get_by_text("opened by a link; read-only").first).to_be_visible(
        timeout=PATIENCE
    )
    assert Axe().run(bob).violations_count == 0
    bob.reload()
    settle(bob)
    bob.get_by_role("button", name="Run it yourself").click()
    settle(bob)
    expect(bob.get_by_text("opened by a link; read-only")).to_have_count(
        0, timeout=PATIENCE
    )
    assert "share=" not in bob.url
    bob.goto(f"{demo}/runs")
    settle(bob)
    bob.get_by_role("button", name="Delete all my runs").click()
    bob.get_by_role("button", name="Delete it").click()
    expect(bob.get_by_text("No run yet")).to_be_visible(timeout=PATIENCE)
    ann.reload()
    settle(ann)
    expect(ann.locator(".st-key-compare_this")).to_be_visible(timeout=PATIENCE)


def test_on_a_phone_the_form_makes_way_for_the_run(demo: str, browser: Browser) -> None:
    page = enter(browser, f"{demo}/lab", width=390)
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("radio", name="Quick").click()
    settle(page)
    page.locator(".st-key-run_button button").click()
    expect(page.get_by_test_id("stSidebarCollapseButton")).not_to_be_in_viewport()


def test_the_line_of_the_demo_covers_nothing_on_a_phone(
    demo: str, browser: Browser
) -> None:
    page = enter(browser, f"{demo}/runs", width=390)
    page.locator(".st-key-demo_notice button").first.click()
    expect(page.get_by_text("Whoever has the link to a run")).to_be_visible(
        timeout=PATIENCE
    )
    settle(page)
    # What the keyboard reaches in the menu; the browser loads it last.
    code = page.get_by_test_id("stCode").last
    expect(code.locator("button")).to_be_attached(timeout=PATIENCE)
    menu = page.get_by_test_id("stPopoverBody").bounding_box()
    assert menu is not None and menu["height"] > 400  # it opens where there is room
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(wide) <= 390
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Escape")
    line = page.locator(".st-key-demo_notice").bounding_box()
    above = page.get_by_text("No run yet").bounding_box()
    assert line is not None
    assert above is not None
    assert line["y"] > above["y"] + above["height"]
