"""How long after a click on Run the first point of its curves is on the page.

    python -m tests.benchmarks.click_to_curve [--times 5]

One server and one warm worker; each time the Lab's default experiment is run with
another seed and cancelled once a live curve is there. Printed are, as medians of the
seconds since the click, when the job was claimed, when its first block was stored, and
when the page first showed the run, its first live chart and a second point on it.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from engine.contract.jobs import JobState
from engine.store import Store
from tests.benchmarks.first_paint import (
    CHROMIUM,
    Figures,
    medians,
    running_server,
)

READY = ".st-key-run_button button:enabled"
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
# The recorded example's charts have other keys than those of a run that is trained.
LIVE = "[class*='st-key-main-check-'] .js-line, .st-key-main-training .js-line, "
LIVE += ".st-key-main-tuning .js-line"
WATCH = f"""() => {{
  const began = performance.now(), seen = (window.__clicked = {{}});
  const wanted = {{ run: ".st-key-cancel button", live: {json.dumps(LIVE)} }};
  const look = () => {{
    for (const [name, selector] of Object.entries(wanted))
      if (!(name in seen) && document.querySelector(selector))
        seen[name] = (performance.now() - began) / 1e3;
    if (!("live" in seen)) requestAnimationFrame(look);
  }};
  document.querySelector("{READY}").click();
  look();
}}"""


def once(page: Page, store: Store, url: str, seed: int) -> Figures:
    """Run the default experiment with a seed; return when each thing was there."""
    page.goto(f"{url}/lab")  # the recorded example again
    page.wait_for_selector(READY, timeout=60_000)
    page.wait_for_timeout(2000)
    page.get_by_role("textbox", name="Seed").fill(str(seed))
    page.keyboard.press("Enter")
    page.wait_for_timeout(800)
    page.wait_for_selector(SETTLED)
    page.wait_for_selector(READY)
    before = {job.key for job in store.jobs(None, "", 1000, 0)}
    began = time.time()
    page.evaluate(WATCH)
    stored = _wait_for_block(store, before, began)
    page.wait_for_function("'live' in window.__clicked", timeout=60_000)
    seen = page.evaluate("window.__clicked")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector(".st-key-resume button")
    return stored | {name: round(seconds, 3) for name, seconds in seen.items()}


def _wait_for_block(store: Store, before: set[str], began: float) -> Figures:
    """Return when the new run was claimed and when its first block was stored."""
    found = Figures()
    while "first_block" not in found:
        for job in store.jobs(None, "", 1000, 0):
            if job.key in before:
                continue
            found.setdefault("queued", round(time.time() - began, 3))
            if job.state == JobState.RUNNING:
                found.setdefault("claimed", round(time.time() - began, 3))
                if store.blocks(job.key)[0]:
                    found["first_block"] = round(time.time() - began, 3)
        time.sleep(0.02)
    return found


def main() -> None:
    """Measure, and print one line of JSON."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--times", type=int, default=5)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder) / "home") as (url, _),
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM
        )
        page = browser.new_page(viewport={"width": 1280, "height": 844})
        page.goto(url)
        page.wait_for_timeout(8000)  # the worker has loaded torch
        store = Store.open(Path(folder) / "home")
        times = asked.parse_args().times
        found = [once(page, store, url, 1000 + each) for each in range(times + 1)]
        browser.close()
    # The first run finds nothing compiled or cached.
    print(json.dumps({"first": found[0]}))  # noqa: T201
    print(json.dumps(medians(found[1:]) | {"load": os.getloadavg()[0]}))  # noqa: T201


if __name__ == "__main__":
    main()
