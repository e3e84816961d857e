"""Which arm of a bandit each agent pulled, pull by pull, and what it paid."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import FilmOptions, panel_titles
from app.figures.figure_parts import style_figure
from app.figures.figure_types import Film, Floats
from app.figures.theme import Style, assign_styles, format_number, with_alpha
from app.figures.trial_film import filmed_agents

ROW, TITLE, AXIS = 15, 46, 44  # pixels of an arm's row, of a title, of the x axis
NONE, LOST, PAID = 0.0, 0.5, 1.0


def pull_raster(
    film: Film, roles: Mapping[str, str], options: FilmOptions
) -> go.Figure:
    """Draw every agent's pulls in one trial, one panel for each agent.

    Arms are sorted by what they pay, the best one on top.

    Args:
        film: Artefact of kind "trials" of a bandit.
        roles: Role by label, in the spec's order.
        options: Which trial, and how many panels in a row.
    """
    labels, styles = filmed_agents(film, roles), assign_styles(roles)
    worth = arm_worth(film, options.task)
    order = np.argsort(-worth, kind="stable")
    columns = min(options.columns, len(labels))
    rows = math.ceil(len(labels) / columns)
    panel = ROW * len(worth) + TITLE
    made = make_subplots(
        rows,
        columns,
        shared_xaxes="all",
        horizontal_spacing=0.22 / columns,
        vertical_spacing=TITLE / (rows * panel) if rows > 1 else 0,
    )
    style_figure(
        made,
        title="Which arm was pulled",
        how_to_read="Each row is an arm, the best on top; its number is its mean. "
        "Full color: the pull paid; pale: it did not.",
        alt="Pulls of each agent by arm and number of the pull",
        height=rows * panel + AXIS,
    )
    for place, label in enumerate(labels):
        pulls = pulled_arms(film, label, options.task, len(worth))[order]
        made.add_trace(
            _pulls_trace(pulls, label, styles[label]),
            row=place // columns + 1,
            col=place % columns + 1,
        )
    names = [format_number(float(worth[arm])) for arm in order]
    _label_axes(made, names)
    made.update_xaxes(title_text="Pull", title_standoff=2, row=rows)
    made.layout.annotations = panel_titles(
        labels, styles, {a: _remark(film, a, options.task) for a in labels}
    )
    return made


def arm_worth(film: Film, trial: int) -> Floats:
    """Return each arm's mean payment at the start of a trial; shape (arm,)."""
    pays = np.asarray(film.arrays["task/pays"], dtype=np.float64)[trial]
    return pays if pays.ndim == 1 else pays[0]


def pulled_arms(film: Film, label: str, trial: int, arms: int) -> Floats:
    """Return 0 where an arm was not pulled, ½ where it paid nothing, 1 where it paid.

    Returns:
        Shape (arm, pull).
    """
    action = np.asarray(film.arrays[f"{label}/action"])[trial, :, 0].astype(int)
    reward = np.asarray(film.arrays[f"{label}/reward"])[trial, :, 0]
    found = np.full((arms, len(action)), NONE)
    found[action, np.arange(len(action))] = np.where(reward > 0, PAID, LOST)
    return found


def _pulls_trace(pulls: Floats, label: str, style: Style) -> go.Heatmap:
    scale = [
        [0.0, "rgba(128,137,149,0.07)"],
        [0.5, with_alpha(style.color, 0.35)],
        [1.0, style.color],
    ]
    said = np.where(pulls == PAID, "paid", np.where(pulls == LOST, "paid nothing", ""))
    return go.Heatmap(
        z=pulls.astype(np.float32),
        x=list(range(1, pulls.shape[1] + 1)),
        zmin=0,
        zmax=1,
        colorscale=scale,
        showscale=False,
        xgap=1,
        ygap=1,
        customdata=said,
        hovertemplate="pull %{x}: %{customdata}<extra></extra>",
        uid=f"{label}:pulls",
    )


def _label_axes(figure: go.Figure, names: Sequence[str]) -> None:
    ticks = {"tickvals": list(range(len(names))), "ticktext": list(names)}
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False, **ticks)
    figure.update_yaxes(tickfont={"size": 10})
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_layout(hovermode="closest", margin={"t": 42, "b": AXIS})


def _remark(film: Film, label: str, trial: int) -> str:
    """Return what an agent earned in the trial."""
    reward = np.asarray(film.arrays[f"{label}/reward"])[trial]
    return f"earned {format_number(float(reward.sum()))}"
