"""The live chart keeps what the user did while data arrives."""

import gc
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from playwright.sync_api import Browser, Page, expect

from app.widgets import live_plot
from app.widgets.live_plot import (
    BASIC_LIBRARY,
    WHOLE_LIBRARY,
    figure_json,
    needed_library,
)

ROOT = Path(__file__).parents[3]
SCRIPT = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
import numpy as np
import streamlit as st
from app.figures import training_film, curves
from app.widgets.live_plot import live_plot
from app.widgets.escaping import escape_markdown
from tests.figures import made

@st.fragment(run_every=0.5)
def grow():
    steps = st.session_state["steps"] = st.session_state.get("steps", 9) + 1
    for key in ("first", "second"):
        fig = curves.curves_figure(
            [made.line(a, steps) for a in made.ROLES], "loss", made.ROLES
        )
        live_plot(fig, key=key, alt=f"{{key}} chart")

grow()
film = training_film.boundary_figure(made.film(), made.ROLES)
live_plot(film, key="film", alt="film")
typed = escape_markdown("http://evil.example, www.evil.example, me@evil.example")
st.caption(typed)
st.button(typed)
"""


def test_lines_and_bars_need_only_the_basic_library() -> None:
    assert needed_library(go.Figure([go.Scatter(), go.Bar()])) == BASIC_LIBRARY
    assert needed_library(go.Figure([go.Scatter(), go.Scattergl()])) == WHOLE_LIBRARY
    film = go.Figure(go.Scatter(), frames=[go.Frame(data=[go.Contour()])])
    assert needed_library(film) == WHOLE_LIBRARY


def test_a_figures_json_writes_no_slash_in_six_letters() -> None:
    figure = go.Figure(go.Scatter(y=np.full(3, -1)))  # "////" as a typed array
    made = figure_json(figure)
    assert json.loads(made) == json.loads(figure.to_json())
    assert "/" in made and len(made) < len(figure.to_json())


def test_what_is_sent_of_a_figure_is_made_once_and_forgotten_with_it() -> None:
    figure = go.Figure(go.Scatter(y=np.arange(9.0)))
    sent = live_plot._send(figure)
    assert live_plot._send(figure) is sent
    assert live_plot._send(figure, only_layout=True).text.startswith('{"data":[]')
    assert live_plot._send(go.Figure(figure)) is not sent
    held = len(live_plot._sent)
    del figure
    gc.collect()
    assert len(live_plot._sent) <= held - 2


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("app")
    (folder / "page.py").write_text(SCRIPT)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.headless=true", "--browser.gatherUsageStats=false"]
    options += ["--server.fileWatcherType=none", "--server.address=127.0.0.1"]
    options += [f"--server.port={port}"]
    command = [sys.executable, "-m", "streamlit", "run", "page.py", *options]
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise TimeoutError(url)


@pytest.fixture
def page(address: str, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    page.goto(address)
    page.wait_for_selector(".st-key-film .main-svg", timeout=60_000)
    page.wait_for_selector(".st-key-second .main-svg", timeout=60_000)
    yield page
    page.close()


def zoom(page: Page, key: str) -> list[list[float]]:
    plot = f"document.querySelector('.st-key-{key} .metascope-plot')"
    made: list[list[float]] = page.evaluate(
        f"[{plot}.layout.xaxis.range, {plot}.layout.yaxis.range]"
    )
    return made


def points(page: Page, key: str) -> int:
    plot = f"document.querySelector('.st-key-{key} .metascope-plot')"
    made: int = page.evaluate(f"Math.max(...{plot}._fullData.map((t) => t.x.length))")
    return made


def grow(page: Page, key: str) -> None:
    before = points(page, key)
    for _ in range(200):
        if points(page, key) > before:
            return
        page.wait_for_timeout(50)
    raise TimeoutError("no data came")


@pytest.mark.browser
def test_zoom_and_theme_outlive_new_data(page: Page) -> None:
    box = page.locator(".st-key-first .nsewdrag").bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(
        box["x"] + 0.7 * box["width"], box["y"] + 0.7 * box["height"], steps=6
    )
    page.mouse.up()
    reset = page.locator(".st-key-first").get_by_role("button", name="Reset zoom")
    expect(reset).to_be_visible()
    wanted, other = zoom(page, "first"), zoom(page, "second")
    grow(page, "first")
    page.emulate_media(color_scheme="dark")
    grow(page, "first")
    assert zoom(page, "first") == wanted
    assert zoom(page, "second") != other  # its axes follow the data
    reset.click()
    expect(reset).to_be_hidden()
    grow(page, "first")
    assert zoom(page, "first") != wanted


@pytest.mark.browser
def test_a_film_is_paused_at_its_first_frame_and_obeys_the_keyboard(page: Page) -> None:
    film = page.locator(".st-key-film")
    expect(film.locator("output")).to_have_text("step 0 of 22")
    film.get_by_role("slider").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(film.locator("output")).to_have_text("step 2 of 22")
    film.get_by_role("button", name="Play").click()
    expect(film.locator("output")).to_have_text("step 22 of 22", timeout=60_000)
    expect(film.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.browser
def test_each_chart_has_a_name(page: Page) -> None:
    for name in ("first chart", "second chart", "film"):
        expect(page.get_by_role("img", name=name)).to_be_visible()


@pytest.mark.browser
def test_a_chart_without_its_library_says_so(address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.route("**/plotly*.min.js*", lambda route: route.fulfill(body="<html></html>"))
    page.goto(address)
    told = page.get_by_text("the chart library did not load").first
    expect(told).to_be_visible(timeout=60_000)
    page.close()


@pytest.mark.browser
def test_a_url_typed_by_the_user_is_no_link(page: Page) -> None:
    expect(page.get_by_text("evil").first).to_be_visible()
    assert page.locator("a[href*=evil]").count() == 0
