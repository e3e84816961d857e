"""How long the app takes until it shows a curve, in a real browser.

    python -m tests.benchmarks.first_paint [--page lab] [--times 5] [--new-store]

Each time the server is started and opened twice in one new browser profile: first with
an empty HTTP cache (cold), then again in the same profile (warm). Printed are medians:
seconds from the start of the server until it answers, and from opening the page until
there is something to read and, of the Lab, a live curve and its form; of Start, the
film and the experiments of the gallery. Bytes are those that came over HTTP,
compressed, and over the WebSocket. The catalogue is there already, as at every start
but the first; with `--new-store` it is not.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

from engine.executors import supervisor

ROOT = Path(__file__).resolve().parents[2]
TEXT = {"text": "[data-testid=stMarkdownContainer]"}
SEEN = {
    "lab": TEXT
    | {
        "live": ".metascope-plot .js-line",
        "form": ".st-key-run_button button:enabled",
    },
    "start": TEXT | {"film": "img.start-film", "gallery": ".start-time"},
}
# The first frame in which each was there, milliseconds after the page was opened.
WATCH = """{
  const seen = (window.__seen = {}), wanted = WANTED;
  const look = () => {
    for (const [name, selector] of Object.entries(wanted))
      if (!(name in seen) && document.querySelector(selector))
        seen[name] = performance.now();
    if (Object.keys(seen).length < Object.keys(wanted).length)
      requestAnimationFrame(look);
  };
  look();
}"""
CHROMIUM = ["--no-sandbox"]
Figures = dict[str, float]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(home: Path) -> Iterator[tuple[str, float]]:
    """Start the app; yield its address and the seconds until it answered."""
    url = f"http://127.0.0.1:{_free_port()}"
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app/main.py")]
    command += ["--server.headless", "true", "--server.port", url.rpartition(":")[2]]
    began = time.perf_counter()
    server = subprocess.Popen(
        command,
        env={**os.environ, "METASCOPE_HOME": str(home)},
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for_answer(url)
        yield url, time.perf_counter() - began
    finally:
        server.terminate()
        server.wait(20)
        supervisor.stop_supervisor(home)


def _wait_for_answer(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError("the app did not start")


def opened(context: BrowserContext, url: str, name: str) -> Figures:
    """Open a page; return when each thing was seen (s) and what was sent (kB)."""
    page, wanted = context.new_page(), SEEN[name]
    page.add_init_script(WATCH.replace("WANTED", json.dumps(wanted)))
    sent = _count_bytes(page)
    # Start is what the bare address shows.
    page.goto(f"{url}/{name}".removesuffix("start"))
    page.wait_for_function(
        f"Object.keys(window.__seen).length === {len(wanted)}", timeout=60_000
    )
    seen = page.evaluate("window.__seen")
    page.close()
    times = {f"{name}_s": round(seen[name] / 1e3, 3) for name in wanted}
    return times | {f"{way}_kB": round(size / 1e3) for way, size in sent.items()}


def _count_bytes(page: Page) -> dict[str, float]:
    sent = {"http": 0.0, "websocket": 0.0}
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")

    def loaded(event: dict[str, float]) -> None:
        sent["http"] += event["encodedDataLength"]

    def received(event: dict[str, dict[str, str]]) -> None:
        # Binary frames come as base64, four letters for three bytes.
        sent["websocket"] += len(event["response"]["payloadData"]) * 3 / 4

    wire.on("Network.loadingFinished", loaded)
    wire.on("Network.webSocketFrameReceived", received)
    return sent


def once(home: Path, name: str) -> dict[str, Figures]:
    """Start the server and open a page twice in a new profile."""
    with (
        tempfile.TemporaryDirectory() as profile,
        sync_playwright() as play,
        play.chromium.launch_persistent_context(
            profile,
            executable_path=shutil.which("chromium"),
            args=CHROMIUM,
            viewport={"width": 1280, "height": 844},
        ) as context,
        running_server(home) as (url, started),
    ):
        cold = {"server_s": round(started, 3)} | opened(context, url, name)
        time.sleep(2)  # what the first visit started has ended, the engine included
        return {"cold": cold, "warm": opened(context, url, name)}


def medians(found: list[Figures]) -> Figures:
    """Return the median of each figure."""
    return {name: statistics.median(each[name] for each in found) for name in found[0]}


def main() -> None:
    """Measure, and print one line of JSON for each visit."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--page", choices=SEEN, default="lab")
    asked.add_argument("--times", type=int, default=5)
    asked.add_argument("--new-store", action="store_true")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not given.new_store:
            once(Path(folder) / "0", given.page)
        found = [
            once(Path(folder) / (str(time_) if given.new_store else "0"), given.page)
            for time_ in range(given.times)
        ]
    for visit in ("cold", "warm"):
        row = {"visit": visit} | medians([each[visit] for each in found])
        print(json.dumps(row | {"load": os.getloadavg()[0]}))  # noqa: T201


if __name__ == "__main__":
    main()
