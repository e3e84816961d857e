"""The page Learn on a phone: the card is in sight, and every card can be chosen."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, settle
from tests.browser.test_screen import sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
WIDTH, HEIGHT = 390, 844  # a common phone; `visit` sets the height


def test_a_phone_shows_the_card_on_its_first_screen(visit: Open) -> None:
    page = visit("/learn?shelf=Learners", width=WIDTH)
    title = page.locator("h2").first
    expect(title).to_be_visible()
    box = title.bounding_box()
    assert box is not None
    assert box["y"] < HEIGHT
    assert sideways(page) == 0
    page.get_by_role("combobox", name="Card").fill("SNAIL")
    page.keyboard.press("Enter")
    settle(page)
    expect(title).to_contain_text("SNAIL")
