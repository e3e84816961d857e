"""How long the sphere of 15,625 architectures takes to draw and to turn.

    python -m tests.benchmarks.sphere_frames

A made-up space of NAS-Bench-201's size, drawn by the page's own figure and script in
a headless Chromium without a GPU: how long the figure takes to be made and to be drawn
(the library is there, as on the page), and the median time of a frame while the
camera goes round once, as when the user turns it. The load of the machine goes with
it.
"""

import json
import os
import shutil
import statistics
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import plotly
from playwright.sync_api import Page, sync_playwright

from app.figures.space_film_reader import SpaceFilm
from app.figures.sphere import FAR, SearchPath, sphere_figure
from app.widgets import live_plot
from engine.runner.films.space_maps import geometry

RADIX = (5,) * 6
FRAMES, EVALUATIONS = 40, 500
SCRIPT = live_plot._FOLDER / "live_plot.js"
LIBRARY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
DRAW = """async (given) => {
  window.__metascope_plotly = { [given.options.library]: Promise.resolve(Plotly) };
  const parentElement = document.querySelector('.metascope-live').parentElement;
  const node = parentElement.querySelector('.metascope-plot');
  const began = performance.now();
  const data = new TextEncoder().encode(JSON.stringify(given));
  window.chart({ data, parentElement, setTriggerValue: () => {} });
  const scene = () => node._fullLayout?.scene?._scene?.glplot;
  while (!(scene()?.objects.length >= given.figure.data.length))
    await new Promise(requestAnimationFrame);
  const gl = scene().gl;
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  return performance.now() - began;
}"""
TURN = """async ([frames, far]) => {
  const node = document.querySelector('.metascope-plot');
  const scene = node._fullLayout.scene._scene, times = [];
  node.dispatchEvent(new PointerEvent('pointerdown', { clientX: 0 }));
  node.dispatchEvent(new PointerEvent('pointermove', { clientX: 50, buttons: 1 }));
  let before = performance.now();
  for (let i = 0; i < frames; i += 1) {
    const turn = (2 * Math.PI * i) / frames;
    scene.setViewport({ aspectmode: 'cube', aspectratio: { x: 1, y: 1, z: 1 },
      camera: { eye: { x: far * Math.cos(turn), y: far * Math.sin(turn), z: 0.3 * far },
        center: { x: 0, y: 0, z: 0 }, up: { x: 0, y: 0, z: 1 },
        projection: { type: 'perspective' } } });
    scene.glplot.redraw();
    const gl = scene.glplot.gl;
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    const now = performance.now();
    times.push(now - before);
    before = now;
  }
  window.dispatchEvent(new PointerEvent('pointerup'));
  return times;
}"""


def atlas() -> SpaceFilm:
    """Return a space of 15,625 architectures with a search of 500 evaluations."""
    index = np.indices(RADIX).reshape(len(RADIX), -1)
    effects = np.random.default_rng(0).random((len(RADIX), RADIX[0]))
    scores = sum(effects[p][index[p]] for p in range(len(RADIX))) / len(RADIX)
    arrays, told = geometry(RADIX, scores)
    path = np.random.default_rng(1).integers(len(scores), size=(1, EVALUATIONS))
    arrays |= {"scores": scores, "s/architecture": path, "s/signal": scores[path]}
    info = {
        "space": "made up",
        "positions": [f"decision {i}" for i in range(len(RADIX))],
        "options": [list("abcde")] * len(RADIX),
        "tasks": ["made up"],
        "geometry": told,
    }
    return SpaceFilm(SimpleNamespace(arrays=arrays, info=info))


def _script() -> str:
    """Return the page's own script of a chart, as one that is no module."""
    text = SCRIPT.read_text(encoding="utf-8")
    text = text.replace("export default function", "window.chart = function")
    return f"{{ {text.replace('export function', 'function')} }}"


def measured(page: Page, figure: str) -> dict[str, float]:
    """Return seconds until the sphere is drawn, and milliseconds of a frame."""
    page.set_content(f'<div style="width:540px">{live_plot._HTML}</div>')
    page.add_script_tag(path=LIBRARY)
    page.add_script_tag(content=_script())
    options = {"alt": "", "library": "plotly", "rooms": [320, 320]}
    given = {"figure": json.loads(figure), "options": options}
    drawn = page.evaluate(DRAW, given) / 1e3
    times = page.evaluate(TURN, [FRAMES, FAR])[5:]
    return {
        "drawn_s": round(drawn, 3),
        "median_frame_ms": round(statistics.median(times), 1),
        "fastest_tenth_ms": round(float(np.quantile(times, 0.1)), 1),
    }


def main() -> None:
    """Measure, and print one line of JSON."""
    began = time.perf_counter()
    space = atlas()
    mapped = time.perf_counter()
    figure = sphere_figure(space, {"s": "chosen"}, SearchPath("s", 0)).to_json()
    made = time.perf_counter()
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--enable-unsafe-swiftshader"],
        )
        found = measured(browser.new_page(), figure)
        browser.close()
    spent = {"maps_s": round(mapped - began, 3), "figure_s": round(made - mapped, 3)}
    print(json.dumps(spent | found | {"load": os.getloadavg()[0]}))  # noqa: T201


if __name__ == "__main__":
    main()
