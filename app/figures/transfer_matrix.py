"""What is a source worth on a target? The transfer matrix as a heat map."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.figures.canvas import figure, names_axis
from app.figures.figure_types import Floats
from app.figures.shift import DIVERGING
from app.figures.theme import LEVEL, capitalized, number

ROW, HEAD = 48, 92
WRITTEN = 4  # targets up to which a cell tells its interval, too


class Measure(NamedTuple):
    """How a measure of transfer is told.

    `even` is where transfer neither helps nor hurts; `scale` multiplies what is
    written, in `unit`; `log` says that colors follow the logarithm.
    """

    title: str
    read: str
    unit: str = ""
    even: float = 0.0
    scale: float = 1.0
    log: bool = False


MEASURES: Mapping[str, Measure] = {
    "area": Measure(
        "Regret saved",
        "Which share of the mean regret along a search is saved.",
        "%",
        scale=100.0,
    ),
    "ratio": Measure(
        "Evaluations to the goal, without / with",
        "Above 1: transfer saves evaluations.",
        "×",
        even=1.0,
        log=True,
    ),
    "jump_start": Measure(
        "Jump-start",
        "By how much less it regrets after the first evaluations, points of accuracy.",
        "points",
        scale=100.0,
    ),
    "gain": Measure(
        "Final gain",
        "By how much less it regrets at the end, points of accuracy.",
        "points",
        scale=100.0,
    ),
}


def matrix_figure(matrix: Any, measure: str, *, title: str = "") -> go.Figure:
    """Draw one measure of transfer by source and target.

    Args:
        matrix: With `sources`, `targets`, the measure as `mean`, `low` and `high`
            of shape (source, target), and `sign`: 1 helps, −1 hurts, 0 not sure.
        measure: A name of `MEASURES`.
        title: What is drawn; the measure's own title where it is empty.
    """
    told, cells = MEASURES[measure], getattr(matrix, measure)
    made = figure(
        title=title or told.title,
        read=f"{told.read} Row: learned on; column: searched. Blue and ▲: transfer "
        "helps; orange and ▼: it hurts (negative transfer); a mark only where all "
        f"cells together are sure of it. Hover for the {LEVEL}.",
        alt=_alt(matrix, cells, told),
        height=HEAD + ROW * max(len(matrix.sources), 1),
    )
    wide = len(matrix.targets) <= WRITTEN
    targets = [_broken(name, 2 if wide else 9) for name in matrix.targets]
    sources = [_broken(name) for name in matrix.sources]
    made.add_trace(
        go.Heatmap(
            **{"z": _colors(cells.mean, told), "x": targets, "y": sources},
            **{"xgap": 3, "ygap": 3, "showscale": False},
            **_ends(_colors(cells.mean, told)),
            text=_hovers(matrix, cells, told),
            hovertemplate="%{text}<extra></extra>",
            uid="cells",
        )
    )
    made.add_trace(
        go.Scatter(
            x=[target for _ in sources for target in targets],
            y=[source for source in sources for _ in targets],
            text=_written(matrix, cells, told),
            **{"mode": "text", "hoverinfo": "skip", "showlegend": False},
            textfont={"size": 12 if wide else 11},
            uid="words",
        )
    )
    made.update_yaxes(names_axis() | {"autorange": "reversed", "fixedrange": True})
    made.update_xaxes(
        names_axis() | {"side": "top", "tickangle": 0, "fixedrange": True}
    )
    lines = max((name.count("<br>") for name in targets), default=0)
    made.update_layout(hovermode="closest", margin={"t": 28 + 14 * lines, "b": 8})
    return made


def _broken(name: str, lines: int = 2) -> str:
    """Return a name in so many lines at most.

    >>> _broken("a b c"), _broken("a b c", 9)
    ('A b<br>c', 'A<br>b<br>c')
    """
    words = capitalized(name).split(" ")
    each = -(-len(words) // lines)
    starts = range(0, len(words), each)
    return "<br>".join(" ".join(words[at : at + each]) for at in starts)


def _colors(mean: Floats, told: Measure) -> Floats:
    """Return how far each cell is from where transfer neither helps nor hurts."""
    values = np.asarray(mean, np.float64)
    if not told.log:
        return values - told.even
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 0, np.log2(values / told.even), np.nan)


def _ends(colors: Floats) -> dict[str, Any]:
    known = np.abs(colors[np.isfinite(colors)])
    most = float(np.quantile(known, 0.9)) if len(known) else 1.0
    most = most or 1.0
    scale = {"colorscale": DIVERGING, "reversescale": True}
    return {"zmin": -most, "zmax": most} | scale


def _sign(sign: int) -> str:
    return {1: "▲ ", -1: "▼ "}.get(int(sign), "")


def _written(matrix: Any, cells: Any, told: Measure) -> list[str]:
    wide = len(matrix.targets) <= WRITTEN
    return [
        _cell(values, int(sign), told, wide)
        for values, sign in zip(
            zip(*(np.ravel(part) for part in cells), strict=True),
            np.ravel(matrix.sign),
            strict=True,
        )
    ]


def _cell(values: tuple[float, ...], sign: int, told: Measure, wide: bool) -> str:
    mean, low, high = (told.scale * float(v) for v in values)
    if not np.isfinite(mean):
        return "–"
    head = f"{_sign(sign)}<b>{number(mean) if wide else _short(mean)}</b>"
    if not wide or not np.isfinite(low + high):
        return head
    return (
        f"{head}<br><span style='font-size:10px'>{number(low)} to {number(high)}</span>"
    )


def _short(value: float) -> str:
    """Return a number for a narrow cell: where it has two digits, whole."""
    return number(round(value) if abs(value) >= 10 else float(f"{value:.2g}"))


def _hovers(matrix: Any, cells: Any, told: Measure) -> list[list[str]]:
    return [
        [
            f"{capitalized(source)} → {capitalized(target)}<br>"
            f"{interval(cells, i, j, told)}"
            f"<br>{WORDS[int(matrix.sign[i][j])]}, n = {int(matrix.n[i][j])}"
            for j, target in enumerate(matrix.targets)
        ]
        for i, source in enumerate(matrix.sources)
    ]


WORDS = {1: "transfer helps", -1: "transfer hurts", 0: "not sure either way"}


def interval(cells: Any, i: int, j: int, told: Measure) -> str:
    """Return a cell's mean with its interval and unit, in words."""
    mean, low, high = (told.scale * float(part[i][j]) for part in cells)
    if not np.isfinite(mean):
        return "not measured"
    ends = f" [{number(low)}, {number(high)}]" if np.isfinite(low + high) else ""
    return f"{number(mean)}{ends} {told.unit}".strip()


def _alt(matrix: Any, cells: Any, told: Measure) -> str:
    rows = [
        f"learned on {source}: "
        + ", ".join(
            f"{target} {interval(cells, i, j, told)}"
            for j, target in enumerate(matrix.targets)
        )
        for i, source in enumerate(matrix.sources)
    ]
    return f"{told.title}; " + "; ".join(rows)
