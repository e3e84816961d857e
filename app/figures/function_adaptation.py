"""Animation of adaptation: a learner's function of one input by inner step."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import FilmOptions, add_controls, panel_titles, sample_frames
from app.figures.figure_parts import style_figure
from app.figures.figure_types import Film, Floats, Indices, Roles
from app.figures.theme import (
    GREY,
    Style,
    assign_styles,
    format_number,
    learner_name,
    with_alpha,
)

HEIGHT = 200  # pixels of a panel and its title
AIR = 0.3  # share of the true curve's height that is kept free above and below
EACH = 4  # traces of a panel: truth, support, before, now


def adaptation_figure(
    film: Film, roles: Roles, options: FilmOptions | None = None
) -> go.Figure:
    """Draw each learner's curve before and after 1, 2, … inner steps on one task.

    Args:
        film: Artefact of form "adaptation".
        roles: Role by label, in the spec's order, which the panels keep.
        options: Which task, and how many panels stand in a row.

    Returns:
        A figure with frames, one for each inner step, paused at the last.
    """
    options = options or FilmOptions()
    labels = [label for label in roles if f"{label}/curve" in film.arrays]
    steps = filmed_steps(film, labels)
    columns = min(options.columns, max(len(labels), 1))
    rows = max(math.ceil(len(labels) / columns), 1)
    height = 126 + HEIGHT * rows
    made = make_subplots(
        rows,
        columns,
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=0.09 / columns,
        vertical_spacing=52 / (height - 126) if rows > 1 else 0,
    )
    style_figure(
        made,
        title="The adaptation, inner step by inner step",
        how_to_read="Grey: the true function. Dots: the support, all that a learner "
        "sees. Faint: before, strong: after the inner steps. MSE: on the queries. ◆: "
        "the step at which a learner is evaluated.",
        alt=_alt_text(film, labels, options.task),
        height=height,
    )
    styles = assign_styles(roles)
    for place, label in enumerate(labels):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        for trace in _panel_traces(film, styles[label], (options.task, steps[-1])):
            made.add_trace(trace, **at)
    heads = [
        panel_titles(labels, styles, _error_notes(film, labels, options.task, s))
        for s in steps
    ]
    made.layout.annotations = heads[-1]
    made.frames = [
        go.Frame(
            name=str(step),
            data=[_curve_update(film, label, (options.task, step)) for label in labels],
            traces=[EACH * place + EACH - 1 for place in range(len(labels))],
            layout={"annotations": head},
        )
        for step, head in zip(steps, heads, strict=True)
    ]
    _set_axes(made, film, options.task)
    made.update_xaxes(title_text="Input x", title_standoff=2, row=rows)
    add_controls(made, steps, below=34, word="inner step")
    made.update_layout(hovermode=False, showlegend=False, margin={"t": 42, "r": 8})
    return made


def filmed_steps(film: Film, labels: Sequence[str]) -> list[int]:
    """Return the inner steps recorded for any learner, one per frame."""
    every = sorted({int(s) for a in labels for s in film.arrays[f"{a}/steps"]}) or [0]
    return [every[i] for i in sample_frames(len(every))]


def frame_at(steps: Indices, step: int) -> int:
    """Return a learner's latest frame up to an inner step, the last if it has fewer.

    Args:
        steps: Inner steps of its frames, ascending, shape (frame,).
        step: The inner step to show.

    >>> frame_at(np.array([0, 2, 4]), 3), frame_at(np.array([0]), 9)
    (1, 0)
    """
    # A learner without inner steps has a single frame, shown at every step.
    return max(0, int(np.searchsorted(steps, step, side="right")) - 1)


def _array(film: Film, name: str) -> Floats:
    return np.asarray(film.arrays[name], dtype=np.float32)


def _curve_at(film: Film, label: str, task_and_frame: tuple[int, int]) -> Floats:
    task, step = task_and_frame
    frame = frame_at(np.asarray(film.arrays[f"{label}/steps"]), step)
    return _array(film, f"{label}/curve")[task, frame]


def _curve_update(
    film: Film, label: str, task_and_frame: tuple[int, int]
) -> go.Scatter:
    return go.Scatter(y=_curve_at(film, label, task_and_frame))


def _panel_traces(
    film: Film, style: Style, task_and_frame: tuple[int, int]
) -> list[go.Scatter]:
    task, x = task_and_frame[0], _array(film, "x")
    same: dict[str, Any] = {"x": x, "mode": "lines", "hoverinfo": "skip"}
    label = style.label
    faint = {"color": with_alpha(style.color, 0.45), "width": 1.6, "dash": "dot"}
    spots = {"color": GREY, "size": 7, "line": {"color": "#ffffff", "width": 1}}
    return [
        go.Scatter(
            **{**same, "y": _array(film, "truth")[task], "uid": f"{label}:truth"},
            line={"color": "rgba(128,137,149,0.55)", "width": 5},
            name="true function",
        ),
        go.Scatter(
            **{**same, "y": _curve_at(film, label, (task, 0)), "line": faint},
            name=f"{learner_name(label)}, before",
            uid=f"{label}:before",
        ),
        go.Scatter(
            x=_array(film, "support_x")[task],
            mode="markers",
            y=_array(film, "support_y")[task],
            marker=spots,
            name="support",
            hoverinfo="skip",
            uid=f"{label}:support",
        ),
        go.Scatter(
            **{**same, "y": _curve_at(film, label, task_and_frame), "line": style.line},
            name=learner_name(label),
            uid=f"{label}:now",
        ),
    ]


def _error_notes(
    film: Film, labels: Sequence[str], task: int, step: int
) -> Mapping[str, str]:
    """Return each learner's squared error on the queries at an inner step."""
    notes = {}
    for label in labels:
        frame = frame_at(np.asarray(film.arrays[f"{label}/steps"]), step)
        mse = float(_array(film, f"{label}/mse")[task, frame])
        own = int(np.asarray(film.arrays[f"{label}/steps"])[frame])
        counts = own == film.info.get("answers", {}).get(label)
        notes[label] = f"<br>MSE {format_number(mse)}" + (" ◆" if counts else "")
    return notes


def _set_axes(figure: go.Figure, film: Film, task: int) -> None:
    """Fit the y range to the true curve and the support, cutting divergent curves."""
    x, truth = _array(film, "x"), _array(film, "truth")[task]
    heights = np.concatenate([truth, _array(film, "support_y")[task]])
    heights = heights[np.isfinite(heights)]
    low, high = (heights.min(), heights.max()) if len(heights) else (0.0, 1.0)
    air = AIR * max(float(high - low), 1e-6)
    still = {"fixedrange": True, "tickformat": "~g", "nticks": 5}
    places = np.concatenate([x, _array(film, "support_x")[task]])
    left, right = float(places.min()), float(places.max())
    figure.update_xaxes(range=[left, right], **still)
    figure.update_yaxes(range=[float(low) - air, float(high) + air], **still)


def _alt_text(film: Film, labels: Sequence[str], task: int) -> str:
    ends = [
        f"{label} from {format_number(float(mse[0]))} to "
        f"{format_number(float(mse[-1]))}"
        for label in labels
        for mse in [_array(film, f"{label}/mse")[task]]
    ]
    return "Curves on one task; squared error " + ("; ".join(ends) or "none")
