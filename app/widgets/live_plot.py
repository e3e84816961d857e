"""A chart that keeps zoom and legend while data arrives.

`st.plotly_chart` mounts a new node whenever its figure changes, so the user's zoom
is lost at every poll. This component keeps one node and lets `Plotly.react` apply the
difference. plotly.js is served from this installation: nothing is fetched from the
network, and nothing is written. Figures of lines and bars need only its basic bundle, a
quarter of the whole; all others get the whole one, from the installed plotly package.
"""

import json
import weakref
from pathlib import Path

import plotly
import plotly.graph_objects as go
import streamlit as st
from streamlit.components.v1 import declare_component

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
_LIBRARY = (_HERE / "plotly_library.js").read_text(encoding="utf-8")
_component = st.components.v2.component(
    "metascope_live_plot",
    html=_HTML,
    css=_CSS,
    js=_LIBRARY + (_HERE / "live_plot.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)
# Declaring a component makes Streamlit serve its folder; it is never drawn.
_WHOLE = declare_component("plotly", Path(plotly.__file__).parent / "package_data")
_BASIC = declare_component("plotly_basic", _HERE.parent / "static" / "plotly_basic")
WHOLE_LIBRARY = f"component/{_WHOLE.name}/plotly.min.js?v={plotly.__version__}"
BASIC_LIBRARY = f"component/{_BASIC.name}/plotly-basic.min.js?v={plotly.__version__}"
# The demo's web server allows this script by its digest.
PRELOAD_SCRIPT = f"{{ {_LIBRARY} library({BASIC_LIBRARY!r}).catch(() => {{}}); }}"
BASIC_TRACES = frozenset({"scatter", "bar"})


def needed_library(fig: go.Figure) -> str:
    """Return the address of the smallest chart library that can draw a figure.

    Args:
        fig: The figure; the traces of its frames count, too.
    """
    shown = [*fig.data, *(trace for frame in fig.frames for trace in frame.data)]
    is_basic = BASIC_TRACES.issuperset(trace.type for trace in shown)
    return BASIC_LIBRARY if is_basic else WHOLE_LIBRARY


_texts: dict[tuple[int, bool], tuple[weakref.ref[go.Figure], str]] = {}


def figure_json(fig: go.Figure, *, only_layout: bool = False) -> str:
    """Return a figure as JSON; made once, since a drawn figure never changes.

    Plotly needs longer for it than everything else on a page of cached figures.

    Args:
        fig: The figure.
        only_layout: Whether to leave out its traces and frames.
    """
    name = (id(fig), only_layout)  # a figure cannot be hashed
    held = _texts.get(name)
    if held is not None and held[0]() is fig:
        return held[1]
    made = json.loads((go.Figure(layout=fig.layout) if only_layout else fig).to_json())
    # Plotly escapes each slash, of which typed arrays have many, in six letters.
    text = json.dumps(made, separators=(",", ":"))
    _texts[name] = weakref.ref(fig, lambda _: _texts.pop(name, None)), text
    return text


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
    options = {"alt": alt, "height": height, "pick": pick}
    texts = {
        "figure": figure_json(fig),
        "narrow": "null" if narrow is None else figure_json(narrow, only_layout=True),
        "options": json.dumps(options | {"library": needed_library(fig)}),
    }
    body = ",".join(f'"{name}":{text}' for name, text in texts.items())
    result = _component(
        key=key,
        **({"on_picked_change": _ignore_event} if pick else {}),
        # As bytes, Streamlit forwards them; a dict it would read and write again.
        data=f"{{{body}}}".encode(),
    )
    return result.picked if pick else None


def _ignore_event() -> None:
    """Do nothing: the component returns the click."""
