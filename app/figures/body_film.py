"""Films of bodies: poles, pendulums and links, drawn at each step of an episode."""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.animation import (
    FilmOptions,
    add_controls,
    lock_aspect,
    panel_titles,
    sample_frames,
)
from app.figures.figure_parts import style_figure
from app.figures.figure_types import Film, Floats
from app.figures.theme import GRID, Style, assign_styles, with_alpha
from app.figures.trial_film import (
    filmed_agents,
    observations,
    return_remarks,
    shown_episodes,
)

PANEL, ABOVE = 210, 46  # pixels of a panel, and of the title above it
TALL = 290  # of a panel whose body turns full circle
RAIL = 2.4  # the cart leaves the picture beyond
Lines = tuple[Floats, Floats]


def cartpole_lines(seen: Floats, length: float) -> Lines:
    """Return cart and pole as one line; x and y of its points."""
    x, angle = seen[0], seen[2]
    tip = (x + length * math.sin(angle), length * math.cos(angle))
    cart = 0.25
    return (
        np.array([x - cart, x + cart, np.nan, x, tip[0]]),
        np.array([0.0, 0.0, np.nan, 0.0, tip[1]]),
    )


def pendulum_lines(seen: Floats, length: float) -> Lines:
    """Return a pendulum, upright at angle 0."""
    return np.array([0.0, -length * seen[1]]), np.array([0.0, length * seen[0]])


def acrobot_lines(seen: Floats, length: float) -> Lines:
    """Return two links that hang at angle 0, and the line to be reached."""
    first = math.atan2(seen[1], seen[0])
    second = first + math.atan2(seen[3], seen[2])
    x = np.cumsum([0.0, length * math.sin(first), length * math.sin(second)])
    y = np.cumsum([0.0, -length * math.cos(first), -length * math.cos(second)])
    line = [-2 * length, 2 * length], [length, length]
    return np.array([*x, np.nan, *line[0]]), np.array([*y, np.nan, *line[1]])


class Body(NamedTuple):
    """How a body is drawn.

    Args:
        draw: Returns its lines at an observation, for a factor on its length.
        half: Half the width of its picture at a factor of 1.
        bottom: Lower edge of the picture.
        top: Upper edge.
        on_rail: Whether it moves along a line at height 0, which is drawn.
    """

    draw: Callable[[Floats, float], Lines]
    half: float
    bottom: float
    top: float
    on_rail: bool = False


BODIES = {
    "cartpole": Body(cartpole_lines, RAIL, -0.2, 1.2, on_rail=True),
    "pendulum": Body(pendulum_lines, 1.2, -1.2, 1.2),
    "acrobot": Body(acrobot_lines, 2.2, -2.2, 2.2),
}


def body_film(film: Film, roles: Mapping[str, str], options: FilmOptions) -> go.Figure:
    """Draw the last episode of every agent, step by step, with a slider.

    Args:
        film: Artefact of kind "trials" whose picture is one of `BODIES`.
        roles: Role by label, in the spec's order.
        options: Which trial, and how many panels in a row.
    """
    labels = filmed_agents(film, roles)
    columns = min(options.columns, len(labels))
    rows = math.ceil(len(labels) / columns)
    panel = PANEL if BODIES[str(film.info["picture"])].on_rail else TALL
    made = make_subplots(
        rows,
        columns,
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=0.06 / columns,
        vertical_spacing=ABOVE / (rows * panel) if rows > 1 else 0,
    )
    episode = shown_episodes(film)[-1] if options.episode is None else options.episode
    style_figure(
        made,
        title=f"Episode {episode + 1}, step by step",
        how_to_read="All agents meet the same body. One whose episode has ended stays "
        "where it ended, pale.",
        alt=f"The body in each agent's episode {episode + 1}, step by step",
        height=rows * panel + 90,
    )
    shots = _Shots(film, options.task, episode, assign_styles(roles))
    steps = film_steps(film, labels, options.task, episode)
    for place, label in enumerate(labels):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        made.add_trace(shots.trace(label, steps[-1]), **at)
    made.frames = [
        go.Frame(
            name=str(step),
            data=[shots.trace(label, step) for label in labels],
            traces=list(range(len(labels))),
        )
        for step in steps
        if not options.only_layout
    ]
    _fit_axes(made, film, options.task)
    remarks = return_remarks(film, labels, options.task, episode)
    made.layout.annotations = panel_titles(labels, shots.styles, remarks)
    made.update_layout(hovermode=False, showlegend=False, margin={"t": 42, "r": 8})
    add_controls(made, steps, word="step")
    return made


class _Shots(NamedTuple):
    """The bodies of all agents in one episode of a trial."""

    film: Film
    trial: int
    episode: int
    styles: Mapping[str, Style]

    def trace(self, label: str, step: int) -> go.Scatter:
        """Return an agent's body at a step, or pale where its episode ended."""
        seen = observations(self.film, label, self.trial, self.episode)
        ended, color = step >= len(seen), self.styles[label].color
        x, y = BODIES[str(self.film.info["picture"])].draw(
            seen[min(step, len(seen) - 1)], body_length(self.film, self.trial)
        )
        return go.Scatter(
            x=x.astype(np.float32),
            y=y.astype(np.float32),
            mode="lines",
            line={"color": with_alpha(color, 0.35) if ended else color, "width": 5},
            uid=f"{label}:body",
        )


def _fit_axes(figure: go.Figure, film: Film, trial: int) -> None:
    """Show the whole body in every panel, as large as it can be."""
    body, scale = BODIES[str(film.info["picture"])], body_length(film, trial)
    if body.on_rail:
        scale = max(1.0, scale)  # the whole rail is shown, however short the body
    ends = [body.bottom if body.on_rail else body.bottom * scale, body.top * scale]
    figure.update_xaxes(range=[-body.half * scale, body.half * scale], visible=False)
    figure.update_yaxes(range=ends, visible=False)
    if body.on_rail:
        line = {"color": GRID, "width": 1}
        figure.add_hline(y=0, line=line, layer="below", row="all", col="all")
    lock_aspect(figure)


def film_steps(film: Film, labels: list[str], trial: int, episode: int) -> list[int]:
    """Return the steps that are drawn: at most as many as a film has frames."""
    longest = max(len(observations(film, a, trial, episode)) for a in labels)
    return sample_frames(longest)


def body_length(film: Film, trial: int) -> float:
    """Return a trial's factor on the length of the body."""
    return float(np.asarray(film.arrays["task/length"])[trial])
