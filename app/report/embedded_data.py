"""What a report carries besides its text: the chart library and the figures.

Both are compressed, so that a report with films can be sent by mail: gzip, which
browsers unpack, in base64, which HTML can hold.
"""

import base64
import functools
import gzip
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import plotly
import plotly.graph_objects as go

from app.charts.chart_options import ResponsiveFigure

_APP = Path(__file__).parents[1]
WHOLE_LIBRARY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
_BASIC = _APP / "static" / "plotly_basic" / "plotly-basic.min.js"
_BASIC_TRACES = frozenset({"scatter", "bar"})


def pack(data: bytes) -> str:
    """Return bytes compressed, as text that HTML can hold."""
    # Without a time, the same run gives the same file.
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def library_file(figures: Iterable[go.Figure]) -> Path:
    """Return the smallest chart library that can draw all of these figures."""
    types = {
        trace.type
        for figure in figures
        for trace in (*figure.data, *(t for f in figure.frames for t in f.data))
    }
    return _BASIC if types <= _BASIC_TRACES else WHOLE_LIBRARY


@functools.cache
def packed_library(file: Path) -> str:
    """Return a chart library, packed; once, since it takes half a second."""
    return pack(file.read_bytes())


@functools.cache
def script_hash(file: Path) -> str:
    """Return the name by which a page's policy allows this script, and no other."""
    return hash_script(file.read_bytes())


def hash_script(script: bytes) -> str:
    """Return a script's name in a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"


def packed_figures(figures: Iterable[ResponsiveFigure]) -> str:
    """Return figures as one packed JSON list, with their layouts for phones."""
    made = [
        {
            "figure": json.loads(each.wide.to_json()),
            "narrow": json.loads(go.Figure(layout=each.narrow.layout).to_json())[
                "layout"
            ]
            if each.narrow is not None
            else None,
        }
        for each in figures
    ]
    return pack(json.dumps(made, separators=(",", ":")).encode())
