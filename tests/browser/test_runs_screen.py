"""The list of runs in a browser: a name opens its run, Back returns, two compare."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine.catalogue import find_card
from engine.contract.jobs import JobState
from engine.contract.run_keys import run_key
from engine.contract.run_spec import complete_spec
from engine.presets import preset
from engine.store import Store
from tests.browser.conftest import Open, settle
from tests.browser.test_screen import assert_accessible, sideways

pytestmark = pytest.mark.browser
ROW, CHECK, NAME = 35, 15, 75  # pixels: a row's height, where to click in it


def compute_two(home: Path) -> None:
    """Let the app's engine compute two runs that differ in their seed."""
    store, keys = Store.open(home), []
    for seed in (51, 52):
        spec = preset("smoke").spec
        small = {"task_evaluations": 32, "tuning_tasks": 4, "horizon": 8}
        budget = spec.budget.model_copy(update=small)
        changed = spec.model_copy(update={"budget": budget, "seed": seed})
        full = complete_spec(changed, find_card, "cpu")
        keys.append(store.submit(full, run_key(full, find_card), "A pair").key)
    deadline = time.monotonic() + 60
    while any(store.job(key).state != JobState.DONE for key in keys):
        assert time.monotonic() < deadline
        time.sleep(0.3)


def click_row(page: Page, row: int, x: int) -> None:
    """Click into a row of the list, counted from 0, once it is drawn."""
    table = page.locator(".st-key-runs_table")
    table.get_by_test_id(f"glide-cell-1-{row}").wait_for(state="attached")
    page.wait_for_timeout(300)  # its canvas is painted a moment later
    table.locator(".dvn-scroller").click(
        position={"x": x, "y": ROW * (row + 1) + ROW // 2}
    )


def test_a_name_opens_its_run_back_returns_and_two_are_compared(
    visit: Open, home: Path
) -> None:
    visit("/runs")  # starts the engine
    compute_two(home)
    page = visit("/runs?find=pair")
    click_row(page, 0, NAME)
    page.wait_for_url("**/lab?run=*")
    settle(page)
    page.go_back()
    page.wait_for_url("**/runs?*")
    settle(page)
    for row in (0, 1):
        click_row(page, row, CHECK)
        settle(page)
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/compare?runs=*")
    expect(
        page.locator(".st-key-compare .metascope-plot .js-line").first
    ).to_be_attached()
    expect(page.get_by_text("The tests of these runs differ")).to_be_visible()
    assert_accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    settle(page)
    assert sideways(page) <= 0
