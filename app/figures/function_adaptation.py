"""How does a learner adapt? Its curve over one input, inner step by inner step."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import Shot, controls, spaced, titles
from app.figures.canvas import dress
from app.figures.figure_types import Film, Floats, Places, Roles
from app.figures.theme import GREY, Style, learner_name, number, styles, translucent

HEIGHT = 200  # pixels of a panel and its title
AIR = 0.3  # share of the true curve's height that is kept free above and below
EACH = 4  # traces of a panel: truth, support, before, now


def function_film(film: Film, roles: Roles, shot: Shot | None = None) -> go.Figure:
    """Draw each learner's curve before and after 1, 2, … inner steps on one task.

    Args:
        film: Artefact of form "adaptation".
        roles: Role by label, in the spec's order, which the panels keep.
        shot: Which task, and how many panels stand in a row.

    Returns:
        A figure with frames, one for each inner step, paused at the last.
    """
    shot = shot or Shot()
    labels = [label for label in roles if f"{label}/curve" in film.arrays]
    steps = taken(film, labels)
    columns = min(shot.columns, max(len(labels), 1))
    rows = max(math.ceil(len(labels) / columns), 1)
    height = 126 + HEIGHT * rows
    made = make_subplots(
        *(rows, columns),
        **{"shared_xaxes": "all", "shared_yaxes": "all"},
        horizontal_spacing=0.09 / columns,
        vertical_spacing=52 / (height - 126) if rows > 1 else 0,
    )
    dress(
        made,
        title="The adaptation, inner step by inner step",
        read="Grey: the true function. Dots: the support, all that a learner sees. "
        "Faint: before, strong: after the inner steps. MSE is on the queries; ◆: the "
        "step at which a learner's answer counts.",
        alt=_alt(film, labels, shot.task),
        height=height,
    )
    looks = styles(roles)
    for place, label in enumerate(labels):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        for trace in _panel(film, looks[label], (shot.task, steps[-1])):
            made.add_trace(trace, **at)
    heads = [titles(labels, looks, _told(film, labels, shot.task, s)) for s in steps]
    made.layout.annotations = heads[-1]
    made.frames = [
        go.Frame(
            name=str(step),
            data=[_now(film, label, (shot.task, step)) for label in labels],
            traces=[EACH * place + EACH - 1 for place in range(len(labels))],
            layout={"annotations": head},
        )
        for step, head in zip(steps, heads, strict=True)
    ]
    _axes(made, film, shot.task)
    made.update_xaxes(title_text="Input x", title_standoff=2, row=rows)
    controls(made, steps, below=34, word="inner step")
    made.update_layout(hovermode=False, showlegend=False, margin={"t": 42, "r": 8})
    return made


def taken(film: Film, labels: Sequence[str]) -> list[int]:
    """Return the inner steps that any learner was filmed at, a frame each."""
    every = sorted({int(s) for a in labels for s in film.arrays[f"{a}/steps"]}) or [0]
    return [every[i] for i in spaced(len(every))]


def frame_at(steps: Places, step: int) -> int:
    """Return a learner's newest frame at an inner step; who takes none stands still.

    >>> frame_at(np.array([0, 2, 4]), 3), frame_at(np.array([0]), 9)
    (1, 0)
    """
    return max(0, int(np.searchsorted(steps, step, side="right")) - 1)


def _array(film: Film, name: str) -> Floats:
    return np.asarray(film.arrays[name], dtype=np.float32)


def _curve(film: Film, label: str, where: tuple[int, int]) -> Floats:
    task, step = where
    frame = frame_at(np.asarray(film.arrays[f"{label}/steps"]), step)
    return _array(film, f"{label}/curve")[task, frame]


def _now(film: Film, label: str, where: tuple[int, int]) -> go.Scatter:
    return go.Scatter(y=_curve(film, label, where))


def _panel(film: Film, look: Style, where: tuple[int, int]) -> list[go.Scatter]:
    task, x = where[0], _array(film, "x")
    same: dict[str, Any] = {"x": x, "mode": "lines", "hoverinfo": "skip"}
    label = look.label
    faint = {"color": translucent(look.color, 0.45), "width": 1.6, "dash": "dot"}
    spots = {"color": GREY, "size": 7, "line": {"color": "#ffffff", "width": 1}}
    return [
        go.Scatter(
            **{**same, "y": _array(film, "truth")[task], "uid": f"{label}:truth"},
            line={"color": "rgba(128,137,149,0.55)", "width": 5},
            name="true function",
        ),
        go.Scatter(
            **{**same, "y": _curve(film, label, (task, 0)), "line": faint},
            **{"name": f"{learner_name(label)}, before", "uid": f"{label}:before"},
        ),
        go.Scatter(
            **{"x": _array(film, "support_x")[task], "mode": "markers"},
            **{"y": _array(film, "support_y")[task], "marker": spots},
            **{"name": "support", "hoverinfo": "skip", "uid": f"{label}:support"},
        ),
        go.Scatter(
            **{**same, "y": _curve(film, label, where), "line": look.line},
            **{"name": learner_name(label), "uid": f"{label}:now"},
        ),
    ]


def _told(film: Film, labels: Sequence[str], task: int, step: int) -> Mapping[str, str]:
    """Return each learner's squared error on the queries at an inner step."""
    told = {}
    for label in labels:
        frame = frame_at(np.asarray(film.arrays[f"{label}/steps"]), step)
        mse = float(_array(film, f"{label}/mse")[task, frame])
        own = int(np.asarray(film.arrays[f"{label}/steps"])[frame])
        counts = own == film.info.get("answers", {}).get(label)
        told[label] = f"<br>MSE {number(mse)}" + (" ◆" if counts else "")
    return told


def _axes(made: go.Figure, film: Film, task: int) -> None:
    """Look at the true curve and the support; a curve that runs off is cut."""
    x, truth = _array(film, "x"), _array(film, "truth")[task]
    heights = np.concatenate([truth, _array(film, "support_y")[task]])
    heights = heights[np.isfinite(heights)]
    low, high = (heights.min(), heights.max()) if len(heights) else (0.0, 1.0)
    air = AIR * max(float(high - low), 1e-6)
    still = {"fixedrange": True, "tickformat": "~g", "nticks": 5}
    places = np.concatenate([x, _array(film, "support_x")[task]])
    left, right = float(places.min()), float(places.max())
    made.update_xaxes(range=[left, right], **still)
    made.update_yaxes(range=[float(low) - air, float(high) + air], **still)


def _alt(film: Film, labels: Sequence[str], task: int) -> str:
    ends = [
        f"{label} from {number(float(mse[0]))} to {number(float(mse[-1]))}"
        for label in labels
        for mse in [_array(film, f"{label}/mse")[task]]
    ]
    return "Curves on one task; squared error " + ("; ".join(ends) or "of nobody")
