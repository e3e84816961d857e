"""Animation of adaptation: a learner's function of one input by inner step."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures.animation import FilmOptions, panel_titles, sample_frames
from app.figures.figure_types import Film, Floats, Indices, Roles
from app.figures.function_panels import (
    animate,
    film_array,
    fit_axes,
    panels_figure,
    support_trace,
    truth_trace,
)
from app.figures.theme import (
    Style,
    assign_styles,
    format_number,
    learner_name,
    with_alpha,
)

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
    task = options.task
    labels = [label for label in roles if f"{label}/curve" in film.arrays]
    steps, styles = filmed_steps(film, labels), assign_styles(roles)
    panels = [_panel_traces(film, styles[a], (task, steps[-1])) for a in labels]
    words = {
        "title": "The adaptation, inner step by inner step",
        "how_to_read": "Gray: the true function. Dots: the support, all that a learner "
        "sees. Faint: before, strong: after the inner steps. MSE: on the queries. ◆: "
        "the step at which a learner is evaluated.",
        "alt": _alt_text(film, labels, task),
    }
    made = panels_figure(panels, options.columns, words)
    fit_axes(made, film, options)
    frames = {s: [_curve_update(film, a, (task, s)) for a in labels] for s in steps}
    titles = {
        s: panel_titles(labels, styles, _error_notes(film, labels, task, s))
        for s in steps
    }
    changing = [EACH * place + EACH - 1 for place in range(len(labels))]
    animate(made, frames, changing, titles, "inner step")
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


def _curve_at(film: Film, label: str, task_and_frame: tuple[int, int]) -> Floats:
    task, step = task_and_frame
    frame = frame_at(np.asarray(film.arrays[f"{label}/steps"]), step)
    return film_array(film, f"{label}/curve")[task, frame]


def _curve_update(
    film: Film, label: str, task_and_frame: tuple[int, int]
) -> go.Scatter:
    return go.Scatter(y=_curve_at(film, label, task_and_frame))


def _panel_traces(
    film: Film, style: Style, task_and_frame: tuple[int, int]
) -> list[go.Scatter]:
    task, label = task_and_frame[0], style.label
    faint = {"color": with_alpha(style.color, 0.45), "width": 1.6, "dash": "dot"}
    before = go.Scatter(
        x=film_array(film, "x"),
        y=_curve_at(film, label, (task, 0)),
        mode="lines",
        line=faint,
        hoverinfo="skip",
        name=f"{learner_name(label)}, before",
        uid=f"{label}:before",
    )
    now = go.Scatter(
        x=film_array(film, "x"),
        y=_curve_at(film, label, task_and_frame),
        mode="lines",
        line=style.line,
        hoverinfo="skip",
        name=learner_name(label),
        uid=f"{label}:now",
    )
    truth, support = truth_trace(film, label, task), support_trace(film, label, task)
    return [truth, before, support, now]


def _error_notes(
    film: Film, labels: Sequence[str], task: int, step: int
) -> Mapping[str, str]:
    """Return each learner's squared error on the queries at an inner step."""
    notes = {}
    for label in labels:
        frame = frame_at(np.asarray(film.arrays[f"{label}/steps"]), step)
        mse = float(film_array(film, f"{label}/mse")[task, frame])
        own = int(np.asarray(film.arrays[f"{label}/steps"])[frame])
        counts = own == film.info.get("answers", {}).get(label)
        notes[label] = f"<br>MSE {format_number(mse)}" + (" ◆" if counts else "")
    return notes


def _alt_text(film: Film, labels: Sequence[str], task: int) -> str:
    ends = [
        f"{label} from {format_number(float(mse[0]))} to "
        f"{format_number(float(mse[-1]))}"
        for label in labels
        for mse in [film_array(film, f"{label}/mse")[task]]
    ]
    return "Curves on one task; squared error " + ("; ".join(ends) or "none")
