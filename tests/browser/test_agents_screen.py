"""Agents in a real browser: the recorded run, its pictures, and the lesson."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, settle
from tests.browser.test_screen import assert_accessible, form, sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def agents(page: Page) -> Page:
    """Choose the kind; its recorded run comes into view."""
    form(page).get_by_role("radio", name="RL agents").click()
    settle(page)
    expect(page.get_by_role("heading", name="Which arm was pulled")).to_be_visible()
    return page


def test_the_kinds_stand_in_one_row_and_axe_finds_nothing(visit: Open) -> None:
    page = agents(visit("/lab"))
    kinds = [page.get_by_role("radio", name=n) for n in ("Optimizer", "RL agents")]
    tops = [box["y"] for kind in kinds if (box := kind.bounding_box())]
    assert len(set(tops)) == 1 and len(tops) == 2
    page.get_by_role("radio", name="Beliefs").click()
    settle(page)
    expect(page.get_by_role("heading", name="What the pulls say")).to_be_visible()
    assert_accessible(page)


def test_the_bandit_of_the_lesson_is_played_on_a_phone(visit: Open) -> None:
    page = visit("/learn?shelf=A lesson: exploring", width=390)
    first = page.get_by_role("button", name="Arm 1")
    for pull in range(1, 21):
        first.click()
        expect(first).to_contain_text(f"of {pull}")
    settle(page)
    expect(page.get_by_text("You earned").first).to_be_visible()
    assert sideways(page) <= 0
    assert_accessible(page)
