"""Which arm of a bandit each agent pulled, pull by pull, and what it paid."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import FilmOptions, panel_titles
from app.figures.figure_parts import style_figure
from app.figures.figure_types import Film, Floats, Indices
from app.figures.theme import Style, assign_styles, format_number, with_alpha
from app.figures.trial_film import filmed_agents
from engine.stats.arm_beliefs import arm_beliefs

ROW, TITLE, AXIS = 15, 46, 44  # pixels of an arm's row, of a title, of the x axis
NONE, LOST, PAID = 0.0, 0.5, 1.0
EMPTY = "rgba(128,137,149,0.07)"


class _Rasters(NamedTuple):
    """What is drawn by arm and pull: values by label, their trace, and the words."""

    values: Mapping[str, Floats]
    make_trace: Callable[[Floats, Style], go.Heatmap]
    words: Mapping[str, str]


def pull_raster(
    film: Film, roles: Mapping[str, str], options: FilmOptions
) -> go.Figure:
    """Draw every agent's pulls in one trial, one panel for each agent.

    Arms are sorted by their mean reward, the best one on top.

    Args:
        film: Artefact of kind "trials" of a bandit.
        roles: Role by label, in the spec's order.
        options: Which trial, and how many panels in a row.
    """
    worth = arm_worth(film, options.task)
    shown = {
        label: pulled_arms(film, label, options.task, len(worth))
        for label in filmed_agents(film, roles)
    }
    words = {
        "title": "Which arm was pulled",
        "how_to_read": "Each row is an arm, the best on top; its number is its mean, "
        "of drifting arms at the start. Full color: the pull's reward was above 0; "
        "pale: it was not.",
        "alt": "Pulls of each agent by arm and number of the pull",
    }
    return _arm_panels(film, roles, options, _Rasters(shown, _pulls_trace, words))


def belief_raster(
    film: Film, roles: Mapping[str, str], options: FilmOptions
) -> go.Figure:
    """Draw what the Bayes optimum would believe after each agent's pulls.

    Args:
        film: Artefact of kind "trials" for which `has_beliefs` holds.
        roles: Role by label, in the spec's order.
        options: Which trial, and how many panels in a row.
    """
    arms, shown = len(arm_worth(film, options.task)), {}
    for label in filmed_agents(film, roles):
        action, reward = _pulls(film, label, options.task)
        # Row 0 is the prior, before the first pull.
        shown[label] = arm_beliefs(action, reward, arms)[1:].T
    words = {
        "title": "What the pulls say about the arms",
        "how_to_read": "Each arm's expected probability to pay, given the agent's "
        "pulls so far and a uniform prior: the belief of the Bayes optimum in its "
        "place. Start: 0.5. The stronger the color, the higher.",
        "alt": "Posterior mean of each arm by number of the pull, for each agent",
    }
    return _arm_panels(film, roles, options, _Rasters(shown, _belief_trace, words))


def has_beliefs(film: Film) -> bool:
    """Whether a film is of arms that pay 0 or 1 and do not drift, as beliefs assume."""
    if "task/pays" not in film.arrays:
        return False
    best = np.asarray(film.arrays["optimum"])  # constant only if no arm drifts
    rewards = [row for name, row in film.arrays.items() if name.endswith("/reward")]
    still = bool((best == best[:, :1]).all())
    return still and all(np.isin(row, (0.0, 1.0)).all() for row in rewards)


def _arm_panels(
    film: Film,
    roles: Mapping[str, str],
    options: FilmOptions,
    rasters: _Rasters,
) -> go.Figure:
    """Return a panel for each agent: arm by pull."""
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
    style_figure(made, **rasters.words, height=rows * panel + AXIS)
    for place, label in enumerate(labels):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        values = rasters.values[label][order]
        made.add_trace(rasters.make_trace(values, styles[label]), **at)
    _label_axes(made, [format_number(float(worth[arm])) for arm in order])
    made.update_xaxes(title_text="Pull", title_standoff=2, row=rows)
    remarks = {a: _remark(film, a, options.task) for a in labels}
    made.layout.annotations = panel_titles(labels, styles, remarks)
    return made


def arm_worth(film: Film, trial: int) -> Floats:
    """Return each arm's mean reward at the start of a trial; shape (arm,)."""
    return np.asarray(film.arrays["task/pays"], dtype=np.float64)[trial]


def pulled_arms(film: Film, label: str, trial: int, arms: int) -> Floats:
    """Return 0 where an arm was not pulled, else 1 if it paid more than 0, else ½.

    Returns:
        Shape (arm, pull).
    """
    action, reward = _pulls(film, label, trial)
    found = np.full((arms, len(action)), NONE)
    found[action, np.arange(len(action))] = np.where(reward > 0, PAID, LOST)
    return found


def _pulls(film: Film, label: str, trial: int) -> tuple[Indices, Floats]:
    """Return the arms that an agent pulled and their rewards; shape (pull,) each."""
    action = np.asarray(film.arrays[f"{label}/action"])[trial, :, 0].astype(int)
    return action, np.asarray(film.arrays[f"{label}/reward"])[trial, :, 0]


def _pulls_trace(pulls: Floats, style: Style) -> go.Heatmap:
    said = np.where(
        pulls == PAID, "paid", np.where(pulls == LOST, "did not pay", "not pulled")
    )
    scale = [[0.0, EMPTY], [0.5, with_alpha(style.color, 0.35)], [1.0, style.color]]
    made = _raster(pulls, scale, "%{customdata}")
    return made.update(customdata=said, uid=f"{style.label}:pulls")


def _belief_trace(beliefs: Floats, style: Style) -> go.Heatmap:
    scale = [[0.0, EMPTY], [1.0, style.color]]
    made = _raster(beliefs, scale, "expected %{z:.2f}")
    return made.update(uid=f"{style.label}:beliefs")


def _raster(values: Floats, scale: list[list[Any]], said: str) -> go.Heatmap:
    return go.Heatmap(
        z=values.astype(np.float32),
        x=list(range(1, values.shape[1] + 1)),
        zmin=0,
        zmax=1,
        colorscale=scale,
        showscale=False,
        xgap=1,
        ygap=1,
        hovertemplate=f"pull %{{x}}: {said}<extra></extra>",
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
