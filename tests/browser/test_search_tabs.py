"""The space and the claims in a real browser: a dot is clicked, a claim measured."""

import re

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.browser.conftest import Open, settle
from tests.browser.test_screen import sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
# Where the dots of a sphere are on the screen, the nearest to the viewer first.
DOTS = """() => {
  const node = document.querySelector('[class*=-ball] .metascope-plot');
  const scene = node?._fullLayout?.scene?._scene;
  const all = node?._fullData?.find((trace) => trace.colorbar || trace.intensity);
  if (!scene?.glplot?.cameraParams || !all) return null;
  const { model, view, projection } = scene.glplot.cameraParams;
  const times = (m, v) => [0, 1, 2, 3].map((r) =>
    m[r] * v[0] + m[4 + r] * v[1] + m[8 + r] * v[2] + m[12 + r] * v[3]);
  const box = scene.glplot.canvas.getBoundingClientRect(), scale = scene.dataScale;
  const found = [];
  for (let at = 0; at < all.x.length; at += 7) {
    const place = [all.x[at] * scale[0], all.y[at] * scale[1], all.z[at] * scale[2], 1];
    const [x, y, , w] = times(projection, times(view, times(model, place)));
    found.push([w, box.x + (box.width * (1 + x / w)) / 2,
      box.y + (box.height * (1 - y / w)) / 2]);
  }
  return found.sort((a, b) => a[0] - b[0]).slice(0, 12).map((each) => each.slice(1));
}"""


def dots(page: Page) -> list[list[float]]:
    """Return where dots of the sphere are, when it has been drawn."""
    ball = page.locator("[class*=-ball] .metascope-plot")
    ball.scroll_into_view_if_needed()
    page.wait_for_function(DOTS)
    page.wait_for_timeout(500)
    found: list[list[float]] = page.evaluate(DOTS)
    return found


def turn(page: Page) -> None:
    """Turn the sphere by a drag."""
    (x, y), *_ = dots(page)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(x + 15 * step, y + 5 * step)
        page.wait_for_timeout(60)
    page.mouse.up()


def sphere(visit: Open, width: int, scheme: str = "light") -> Page:
    """Open the sphere of the recorded search."""
    page = visit("/search", width, scheme)  # of an earlier release: the Lab, searching
    page.get_by_role("tab", name="Search space").click()
    settle(page)
    return page


def test_a_sphere_is_turned_and_a_dot_of_it_opened(visit: Open) -> None:
    page = sphere(visit, width=1280, scheme="dark")
    before = dots(page)
    turn(page)
    assert dots(page) != before
    title = page.get_by_role("heading", name=re.compile(r"Architecture no\. \d+"))
    expect(title).to_have_count(0)  # a drag is no click
    for x, y in dots(page):
        page.mouse.move(x, y)
        page.wait_for_timeout(200)
        page.mouse.click(x, y)
        try:
            title.wait_for(timeout=3000)
            break
        except TimeoutError:
            continue
    expect(title).to_be_visible(timeout=1000)


def test_a_phone_needs_no_sideways_scroll_for_the_sphere(visit: Open) -> None:
    page = sphere(visit, width=390)
    dots(page)
    assert sideways(page) <= 0


def test_a_claim_is_measured_from_its_button(visit: Open) -> None:
    page = visit("/claims")
    card = page.locator(".st-key-claim\\.patterns, .st-key-claim-patterns")
    expect(card).to_contain_text("supported")
    expect(card).to_contain_text("recorded")
    card.get_by_role("button", name="Measure here").click()
    expect(card).to_contain_text("of 14 runs are done")
