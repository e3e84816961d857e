"""The transfer matrix as a heat map: what each source saves on each target."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_parts import make_figure, names_axis
from app.figures.figure_types import Floats
from app.figures.shift import DIVERGING
from app.figures.theme import capitalize_name, format_number

ROW, HEAD = 48, 92
MAX_WIDE_TARGETS = 4  # up to so many targets a cell shows its interval


class Measure(NamedTuple):
    """How a measure of transfer is displayed.

    At `neutral` transfer neither helps nor hurts; displayed values are multiplied by
    `scale` and in `unit`; `log` makes the color scale logarithmic.
    """

    title: str
    read: str
    unit: str = ""
    neutral: float = 0.0
    scale: float = 1.0
    log: bool = False


MEASURES: Mapping[str, Measure] = {
    "area": Measure(
        "Regret saved",
        "Share of the mean regret along a search that is saved.",
        "%",
        scale=100.0,
    ),
    "ratio": Measure(
        "Evaluations to the goal, without / with",
        "Above 1: transfer saves evaluations.",
        "×",
        neutral=1.0,
        log=True,
    ),
    "jump_start": Measure(
        "Jump-start",
        "Reduction of regret after the first evaluations, points of accuracy.",
        "points",
        scale=100.0,
    ),
    "gain": Measure(
        "Final gain",
        "Reduction of regret at the end, points of accuracy.",
        "points",
        scale=100.0,
    ),
}


def transfer_measure_figure(matrix: Any, measure: str, *, title: str = "") -> go.Figure:
    """Draw one measure of transfer by source and target.

    Args:
        matrix: With `sources`, `targets`, the measure as `mean`, `low` and `high`
            of shape (source, target), and the `calls` by source and target.
        measure: A name of `MEASURES`.
        title: The panel's title; if empty, the measure's.
    """
    shown, cells = MEASURES[measure], getattr(matrix, measure)
    made = make_figure(
        title=title or shown.title,
        how_to_read=f"{shown.read} Row: learned on; column: searched. Blue and ▲: "
        "transfer helps; orange and ▼: it hurts (negative transfer); =: equal; no "
        "mark: can't tell yet. Calls and intervals are corrected for all cells; hover "
        "for the intervals.",
        alt=_alt_text(matrix, cells, shown),
        height=HEAD + ROW * max(len(matrix.sources), 1),
    )
    wide = len(matrix.targets) <= MAX_WIDE_TARGETS
    targets = [_break_lines(name, 2 if wide else 9) for name in matrix.targets]
    sources = [_break_lines(name) for name in matrix.sources]
    made.add_trace(
        go.Heatmap(
            z=_color_values(cells.mean, shown),
            x=targets,
            y=sources,
            xgap=3,
            ygap=3,
            showscale=False,
            **_color_range(_color_values(cells.mean, shown)),
            text=_hover_texts(matrix, cells, shown),
            hovertemplate="%{text}<extra></extra>",
            uid="cells",
        )
    )
    made.add_trace(
        go.Scatter(
            x=[target for _ in sources for target in targets],
            y=[source for source in sources for _ in targets],
            text=_cell_texts(matrix, cells, shown),
            mode="text",
            hoverinfo="skip",
            showlegend=False,
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


def _break_lines(name: str, lines: int = 2) -> str:
    """Return a name broken into a given number of lines at most.

    >>> _break_lines("a b c"), _break_lines("a b c", 9)
    ('A b<br>c', 'A<br>b<br>c')
    """
    words = capitalize_name(name).split(" ")
    each = -(-len(words) // lines)
    starts = range(0, len(words), each)
    return "<br>".join(" ".join(words[at : at + each]) for at in starts)


def _color_values(mean: Floats, measure: Measure) -> Floats:
    """Return each cell's distance from neutral, on the color scale."""
    values = np.asarray(mean, np.float64)
    if not measure.log:
        return values - measure.neutral
    # The logarithm of an unmeasured or zero cell is left blank.
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 0, np.log2(values / measure.neutral), np.nan)


def _color_range(colors: Floats) -> dict[str, Any]:
    known = np.abs(colors[np.isfinite(colors)])
    most = float(np.quantile(known, 0.9)) if len(known) else 1.0
    most = most or 1.0
    scale = {"colorscale": DIVERGING, "reversescale": True}
    return {"zmin": -most, "zmax": most} | scale


def _cell_texts(matrix: Any, cells: Any, measure: Measure) -> list[str]:
    wide = len(matrix.targets) <= MAX_WIDE_TARGETS
    calls = [call for row in matrix.calls for call in row]
    return [
        _format_cell(values, CALL_MARKS.get(call, ""), measure, wide)
        for values, call in zip(
            zip(*(np.ravel(part) for part in cells), strict=True), calls, strict=True
        )
    ]


def _format_cell(
    values: tuple[float, ...], mark: str, measure: Measure, wide: bool
) -> str:
    mean, low, high = (measure.scale * float(v) for v in values)
    if not np.isfinite(mean):
        return "–"
    number = format_number(mean) if wide else _format_short(mean)
    head = f"{mark}<b>{number}</b>"
    if not wide or not np.isfinite(low + high):
        return head
    return (
        f"{head}<br><span style='font-size:10px'>{format_number(low)} to "
        f"{format_number(high)}</span>"
    )


def _format_short(value: float) -> str:
    """Format a number for a narrow cell: without decimals from two digits on."""
    return format_number(round(value) if abs(value) >= 10 else float(f"{value:.2g}"))


def _hover_texts(matrix: Any, cells: Any, measure: Measure) -> list[list[str]]:
    return [
        [
            f"{capitalize_name(source)} → {capitalize_name(target)}<br>"
            f"{format_interval(cells, i, j, measure)}{_level_text(matrix, i, j)}"
            f"<br>{CALL_WORDS[matrix.calls[i][j]]}, n = {int(matrix.n[i][j])}"
            for j, target in enumerate(matrix.targets)
        ]
        for i, source in enumerate(matrix.sources)
    ]


CALL_MARKS = {"better": "▲ ", "worse": "▼ ", "equal": "= "}
CALL_WORDS = {
    "better": "better: transfer helps",
    "worse": "worse: transfer hurts",
    "equal": "equal",
    "can't tell yet": "can't tell yet",
    None: "not tested",
}


def _level_text(matrix: Any, i: int, j: int) -> str:
    level = 100 * float(matrix.level[i][j])
    return f" (intervals at {level:.4g} %)" if np.isfinite(level) else ""


def format_interval(cells: Any, i: int, j: int, measure: Measure) -> str:
    """Format a cell's mean with its interval and unit."""
    mean, low, high = (measure.scale * float(part[i][j]) for part in cells)
    if not np.isfinite(mean):
        return "not measured"
    ends = (
        f" [{format_number(low)}, {format_number(high)}]"
        if np.isfinite(low + high)
        else ""
    )
    return f"{format_number(mean)}{ends} {measure.unit}".strip()


def _alt_text(matrix: Any, cells: Any, measure: Measure) -> str:
    rows = [
        f"learned on {source}: "
        + ", ".join(
            f"{target} {format_interval(cells, i, j, measure)}"
            for j, target in enumerate(matrix.targets)
        )
        for i, source in enumerate(matrix.sources)
    ]
    return f"{measure.title}; " + "; ".join(rows)
