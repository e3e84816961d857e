"""A chart that keeps zoom and legend while data arrives.

`st.plotly_chart` mounts a new node whenever its figure changes, so the user's zoom
is lost at every poll. This component keeps one node and lets `Plotly.react` apply the
difference. It gets the address of a figure, which the browser fetches unless it holds
it. plotly.js is served from this installation: nothing is fetched from the
network, and nothing is written. Figures of lines and bars need only its basic bundle, a
quarter of the whole; all others get the whole one, from the installed plotly package.
"""

import hashlib
import json
import weakref
from pathlib import Path
from typing import NamedTuple

import plotly
import plotly.graph_objects as go
import streamlit as st
from streamlit.components.v1 import declare_component

from app.widgets.figure_bodies import SMALL, address, bodies

_HERE = Path(__file__).parent
_HTML = """
<div class="metascope-live">
  <div class="metascope-plot"></div>
  <button class="metascope-reset" type="button" hidden>Reset zoom</button>
  <div class="metascope-film" hidden>
    <button type="button">▶ Play</button>
    <input type="range" min="0" step="1" aria-label="Step of the film">
    <output></output>
  </div>
</div>
"""
_CSS = """
.metascope-live { position: relative; width: 100%; }
.metascope-plot { width: 100%; }
.metascope-reset { position: absolute; top: 0; right: 0; }
.metascope-reset, .metascope-film button {
  padding: 0.2rem 0.7rem; cursor: pointer; font: inherit; font-size: 0.8rem;
  color: var(--st-text-color);
  background: var(--st-secondary-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
}
.metascope-reset[hidden], .metascope-film[hidden] { display: none; }
.metascope-live :focus-visible { outline: 2px solid var(--st-primary-color); }
.metascope-film { display: flex; align-items: center; gap: 0.75rem; }
.metascope-film button { min-width: 5.6rem; }
.metascope-film input {
  flex: 1; min-width: 0; accent-color: var(--st-primary-color); cursor: pointer;
}
.metascope-film output {
  min-width: 7.2rem; text-align: right; font-size: 0.85rem;
  font-variant-numeric: tabular-nums; color: var(--st-text-color);
}
"""
# Declaring a component makes Streamlit serve its folder; it is never drawn.
_WHOLE = declare_component("plotly", Path(plotly.__file__).parent / "package_data")
_BASIC = declare_component("plotly_basic", _HERE.parent / "static" / "plotly_basic")
WHOLE_LIBRARY = f"component/{_WHOLE.name}/plotly.min.js?v={plotly.__version__}"
BASIC_LIBRARY = f"component/{_BASIC.name}/plotly-basic.min.js?v={plotly.__version__}"
_FOLDER = _HERE.parent / "static" / "live_plot"
_SCRIPT = declare_component("live_plot", _FOLDER)
_DIGEST = hashlib.sha256((_FOLDER / "live_plot.js").read_bytes()).hexdigest()
SCRIPT = f"component/{_SCRIPT.name}/live_plot.js?v={_DIGEST[:16]}"
# Every chart's message holds this text, so it only fetches the script: once for all.
_LOADER = f"""
const address = new URL({SCRIPT!r}, document.baseURI);
let draw;
const loading = import(address).then((script) => (draw = script.default));

export default function (given) {{
  if (draw) return draw(given);
  let clean, isGone = false;
  const fail = () => {{
    given.parentElement.querySelector(".metascope-plot").textContent =
      "the chart's script did not load: reload the page";
  }};
  loading.then(() => isGone || (clean = draw(given)), fail);
  return () => {{
    isGone = true;
    clean?.();
  }};
}}
"""
_component = st.components.v2.component(
    "metascope_live_plot", html=_HTML, css=_CSS, js=_LOADER, isolate_styles=False
)
# The demo's web server allows this script by its digest.
PRELOAD_SCRIPT = (
    f"import(new URL({SCRIPT!r}, document.baseURI))"
    f".then(({{ library }}) => library({BASIC_LIBRARY!r})).catch(() => {{}});"
)
BASIC_TRACES = frozenset({"scatter", "bar"})


def needed_library(fig: go.Figure) -> str:
    """Return the address of the smallest chart library that can draw a figure.

    Args:
        fig: The figure; the traces of its frames count, too.
    """
    shown = [*fig.data, *(trace for frame in fig.frames for trace in frame.data)]
    is_basic = BASIC_TRACES.issuperset(trace.type for trace in shown)
    return BASIC_LIBRARY if is_basic else WHOLE_LIBRARY


class _Sent(NamedTuple):
    """What the browser gets of a figure.

    Args:
        text: The figure as JSON; empty where the browser fetches it.
        digest: Names the JSON that the browser fetches.
        library: Address of the chart library that it needs.
    """

    text: str
    digest: str
    library: str


_sent: dict[tuple[int, bool], tuple[weakref.ref[go.Figure], _Sent]] = {}


def figure_json(fig: go.Figure) -> str:
    """Return a figure as JSON."""
    made = json.loads(fig.to_json())
    # Plotly escapes each slash, of which typed arrays have many, in six letters.
    return json.dumps(made, separators=(",", ":"))


def _send(fig: go.Figure, *, only_layout: bool = False) -> _Sent:
    """Return what the browser gets of a figure; made once: a drawn one never changes.

    Plotly needs longer for it than everything else on a page of cached figures. Of a
    figure that is fetched, the compressed JSON alone is kept.

    Args:
        fig: The figure.
        only_layout: Whether to leave out its traces and frames.
    """

    def part() -> go.Figure:
        return go.Figure(layout=fig.layout) if only_layout else fig

    def make() -> _Sent:
        text, library = figure_json(part()), needed_library(part())
        if len(text) < SMALL or not bodies.is_served:
            return _Sent(text, "", library)
        return _Sent("", bodies.add(text), library)

    name = (id(fig), only_layout)  # a figure cannot be hashed
    found = _sent.get(name)
    if found is not None and found[0]() is fig:
        sent = found[1]
    else:
        sent = make()
        _sent[name] = weakref.ref(fig, lambda _: _sent.pop(name, None)), sent
    if sent.digest and not bodies.touch(sent.digest):  # it was dropped for others
        bodies.add(figure_json(part()))
    return sent


def preload_library() -> None:
    """Let the browser load plotly.js while the page is still being computed."""
    with st.container(key="fetch_plotly"):
        st.html(f"<script>{PRELOAD_SCRIPT}</script>", unsafe_allow_javascript=True)


def live_plot(
    fig: go.Figure,
    *,
    key: str,
    alt: str,
    height: int | None = None,
    narrow: go.Figure | None = None,
    pick: bool = False,
) -> int | None:
    """Draw a figure; later calls with the same key update it.

    A figure with frames gets a play button and a slider, and starts paused at its
    first frame.

    Args:
        fig: The figure; traces with a `uid` keep their legend state by it.
        key: Stable name of this chart on the page.
        alt: Text alternative for screen readers.
        height: Pixels; the figure's own height, else 320.
        narrow: The same traces laid out for a phone; only its layout is used.
        pick: Whether to report which mark was clicked.

    Returns:
        The number in `customdata` of the mark that was just clicked, if any.
    """
    rooms = [each.layout.height or 320 for each in (fig, narrow or fig)]
    sent = _send(fig)
    options = {
        "alt": alt,
        "height": height,
        "rooms": [height or room for room in rooms],
        "pick": pick,
        "library": sent.library,
    }
    texts = {
        "figure": _refer(sent),
        "narrow": "null" if narrow is None else _refer(_send(narrow, only_layout=True)),
        "options": json.dumps(options),
    }
    body = ",".join(f'"{name}":{text}' for name, text in texts.items())
    result = _component(
        key=key,
        **({"on_picked_change": _ignore_event} if pick else {}),
        on_missing_change=_ignore_event,  # a rerun keeps the figure once more
        # As bytes, Streamlit forwards them; a dict it would read and write again.
        data=f"{{{body}}}".encode(),
    )
    return result.picked if pick else None


def _refer(sent: _Sent) -> str:
    """Return a figure's JSON, or its address as JSON."""
    return json.dumps(address(sent.digest)) if sent.digest else sent.text


def _ignore_event() -> None:
    """Do nothing: the page is drawn again, and the component returns a click."""
