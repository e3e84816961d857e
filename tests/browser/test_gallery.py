"""A gallery opens from a disk, and a frame shows one figure of a run alone."""

import functools
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from app.client import recorded_examples
from app.gallery.build import build_gallery
from app.gallery.run_page import Addresses
from app.widgets import figure_files
from tests.browser.conftest import PATIENCE, Open

pytestmark = pytest.mark.browser


def open_gallery(browser: Browser, folder: Path, scheme: str, width: int) -> Page:
    """Open the first page from the disk, without a network."""
    size = {"width": width, "height": 844}
    context = browser.new_context(offline=True, color_scheme=scheme, viewport=size)
    page = context.new_page()
    page.on("request", lambda request: asked(page).append(request.url))
    page.goto((folder / "index.html").as_uri())
    return page


_asked = dict[int, list[str]]()


def asked(page: Page) -> list[str]:
    """Return all that a page has asked for."""
    return _asked.setdefault(id(page), [])


def test_a_gallery_opens_from_a_disk_and_asks_for_nothing_else(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two programs that drive a browser do not get along in one process.
    monkeypatch.setattr(figure_files, "can_render", lambda: False)
    folder = tmp_path / "a site"
    kinds = ("optimization", "rl")
    runs = [functools.partial(recorded_examples.recorded_run, kind) for kind in kinds]
    build_gallery(folder, runs, {}, "A course", Addresses())  # type: ignore[arg-type]
    for scheme, width in (("light", 1280), ("dark", 390)):
        page = open_gallery(browser, folder, scheme, width)
        assert Axe().run(page).violations_count == 0
        expect(page.locator(".card:visible")).to_have_count(2)
        page.get_by_label("Search").fill("bandits RL²")
        expect(page.get_by_role("status")).to_have_text("1 of 2 runs")
        page.get_by_label("Search").fill("gaussian")
        page.get_by_role("link", name="LR scale").click()
        page.wait_for_selector("html[data-drawn]", timeout=PATIENCE)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert Axe().run(page).violations_count == 0
        chart = page.locator("figure", has_text="Training loss by step").first
        chart.locator(".nsewdrag").first.hover()
        expect(chart.locator(".hoverlayer")).to_contain_text("LR scale")
        film = page.locator("figure.wide").first
        film.locator(".updatemenu-button").first.click()  # play
        expect(film.locator(".slider-label").first).to_be_visible()
        page.get_by_role("link", name="All runs").click()
        expect(page.get_by_role("heading", name="A course")).to_be_visible()
        inside = (folder.as_uri(), "blob:", "data:")
        assert [url for url in asked(page) if not url.startswith(inside)] == []
        page.context.close()


def test_a_frame_shows_one_figure_without_header_and_form(visit: Open) -> None:
    run = recorded_examples.recorded_run("few_shot")
    assert run is not None
    options = "embed=true&embed_options=dark_theme"
    page = visit(f"/lab?run={run.key}&show=answers&{options}", width=390)
    expect(
        page.get_by_role("heading", name="Query error by inner step")
    ).to_be_visible()
    expect(page.locator("[data-testid=stHeader]")).to_be_empty()
    expect(page.locator("[data-testid=stSidebar]")).to_be_hidden()
    expect(page.get_by_role("link", name="Open in Metascope")).to_be_visible()
    expect(page.locator("h2")).to_have_count(1)
    background = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    assert page.evaluate(background) == "rgb(14, 17, 23)"
    assert Axe().run(page).violations_count == 0
