"""Animation of a growing support: what a learner believes after 1, 2, … examples."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.figures.animation import FilmOptions, panel_titles
from app.figures.figure_types import Film, Floats, Roles
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

PART = "examples/"  # before the names of these arrays of a learner


REACH = NormalDist().inv_cdf(0.95)  # standard deviations to each side, for 90 %


class _Moment(NamedTuple):
    """A task of a film after some examples."""

    film: Film
    options: FilmOptions
    count: int


def beliefs_figure(
    film: Film, roles: Roles, options: FilmOptions | None = None
) -> go.Figure:
    """Draw each learner's answer, with its band, on the first examples of a support.

    Args:
        film: Artefact of form "adaptation" whose learners were asked on fewer examples.
        roles: Role by label, in the spec's order, which the panels keep.
        options: Which task, and how many panels stand in a row.

    Returns:
        A figure with frames, one for each number of examples, paused at the last.
    """
    options = options or FilmOptions()
    labels = believing_labels(film, roles)
    counts = sorted({int(n) for a in labels for n in _counts(film, a)}) or [0]
    moments = [_Moment(film, options, n) for n in counts]
    styles = assign_styles(roles)
    panels = [_panel_traces(moments[-1], styles[label]) for label in labels]
    words = {
        "title": "The answer, example by example",
        "how_to_read": "Gray: the true function. Dots: the examples that a learner has "
        "seen. Band: where it expects 90 % of the targets; thin lines: functions that "
        "it thinks possible. Band of constant width: it predicts values only, its "
        "spread is from validation on the whole support. MSE: on the queries.",
        "alt": _alt_text(film, labels, options.task),
    }
    made = panels_figure(panels, options.columns, words)
    fit_axes(made, film, options)
    places = [i for i, t in enumerate(made.data) if not t.uid.endswith(":truth")]
    frames = {
        m.count: [u for label in labels for u in _updates(m, styles[label])]
        for m in moments
    }
    titles = {
        m.count: panel_titles(labels, styles, _error_notes(m, labels)) for m in moments
    }
    animate(made, frames, places, titles, "examples")
    return made


def believing_labels(film: Film, roles: Roles) -> list[str]:
    """Return the learners that were asked on fewer examples."""
    return [label for label in roles if f"{label}/{PART}curve" in film.arrays]


def _counts(film: Film, label: str) -> Floats:
    return np.asarray(film.arrays[f"{label}/{PART}counts"])


def _panel_traces(moment: _Moment, style: Style) -> list[go.Scatter]:
    film, label = moment.film, style.label
    return [truth_trace(film, label, moment.options.task), *_updates(moment, style)]


def _updates(moment: _Moment, style: Style) -> list[go.Scatter]:
    """Return all traces of a panel but the true function, the same in each frame."""
    film, label = moment.film, style.label
    x, found = film_array(film, "x"), []
    if f"{label}/{PART}low" in film.arrays or label in moment.options.spreads:
        found.append(_band(moment, style))
    if f"{label}/{PART}samples" in film.arrays:
        found.append(_samples(moment, style))
    support = support_trace(film, label, moment.options.task)
    hidden = np.arange(len(support.x)) >= moment.count
    support.y = np.where(hidden, np.nan, support.y)
    now = go.Scatter(
        x=x,
        y=_rows(moment, label, "curve"),
        mode="lines",
        line=style.line,
        hoverinfo="skip",
        name=learner_name(label),
        uid=f"{label}:now",
    )
    return [*found, support, now]


def _band(moment: _Moment, style: Style) -> go.Scatter:
    x, (low, high) = film_array(moment.film, "x"), _band_ends(moment, style.label)
    return go.Scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=style.fill(0.2),
        hoverinfo="skip",
        name=f"{style.name}, 90 % of the targets",
        uid=f"{style.label}:band",
    )


def _band_ends(moment: _Moment, label: str) -> tuple[Floats, Floats]:
    if f"{label}/{PART}low" in moment.film.arrays:
        return _rows(moment, label, "low"), _rows(moment, label, "high")
    curve, reach = _rows(moment, label, "curve"), REACH * moment.options.spreads[label]
    return curve - reach, curve + reach


def _samples(moment: _Moment, style: Style) -> go.Scatter:
    """Return some functions as one line, broken between them."""
    rows = _rows(moment, style.label, "samples")
    gaps = np.full((len(rows), 1), np.nan, np.float32)
    x = np.tile(np.append(film_array(moment.film, "x"), np.nan), len(rows))
    return go.Scatter(
        x=x,
        y=np.hstack([rows, gaps]).ravel(),
        mode="lines",
        line={"color": with_alpha(style.color, 0.55), "width": 1},
        hoverinfo="skip",
        name=f"{style.name}, possible functions",
        uid=f"{style.label}:samples",
    )


def _rows(moment: _Moment, label: str, name: str) -> Floats:
    """Return an array after so many examples; NaN if a learner was not asked then."""
    rows = film_array(moment.film, f"{label}/{PART}{name}")[moment.options.task]
    at = np.flatnonzero(_counts(moment.film, label) == moment.count)
    return rows[at[0]] if len(at) else np.full_like(rows[0], np.nan)


def _error_notes(moment: _Moment, labels: Sequence[str]) -> dict[str, str]:
    errors = {label: float(_rows(moment, label, "mse")) for label in labels}
    return {
        label: f"<br>MSE {format_number(mse)}" if np.isfinite(mse) else "<br>not asked"
        for label, mse in errors.items()
    }


def _alt_text(film: Film, labels: Sequence[str], task: int) -> str:
    ends = []
    for label in labels:
        mse = film_array(film, f"{label}/{PART}mse")[task]
        first, last = (format_number(float(mse[at])) for at in (0, -1))
        ends.append(f"{label} from {first} to {last}")
    return "Answers on more and more examples; squared error " + "; ".join(ends)
