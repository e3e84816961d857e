"""Animated figures: sampling of frames, the slider, and the panels' titles."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.figures.figure_types import Floats
from app.figures.theme import GRID, Style, learner_name

MAX_FRAMES = 32
LONGEST = 26  # letters of a name in a panel's title
CONTROLS = 68  # pixels under the plot for play, pause and slider


class FilmOptions(NamedTuple):
    """What of a film is shown, and how.

    Args:
        task: Which task.
        losses: Shown in the titles, by label.
        columns: Panels per row.
        spreads: Standard deviation of the targets around the answers of learners that
            only predict values, by label.
        episode: Which episode of a trial, from 0; None for the last.
        only_layout: Whether its layout is all that is needed, so that it gets no
            frames.
    """

    task: int = 0
    losses: Mapping[str, Floats] | None = None
    columns: int = 2
    spreads: Mapping[str, float] = MappingProxyType({})
    episode: int | None = None
    only_layout: bool = False


def sample_frames(count: int, limit: int = MAX_FRAMES) -> list[int]:
    """Return at most `limit` frame numbers, the first and the last among them.

    >>> sample_frames(5), sample_frames(100, 4)
    ([0, 1, 2, 3, 4], [0, 33, 66, 99])
    """
    return sorted(
        {int(i) for i in np.linspace(0, count - 1, min(count, limit)).round()}
    )


def panel_titles(
    labels: Sequence[str], styles: Mapping[str, Style], remarks: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the panels' titles: a chip of the learner's color, its name, a remark.

    Args:
        labels: One for each panel, in the order of their axes.
        styles: How each learner is drawn.
        remarks: The remark by label, where there is one.
    """
    made = []
    for place, label in enumerate(labels):
        axis = "" if place == 0 else str(place + 1)
        name = learner_name(
            label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"
        )
        chip = f"<span style='color:{styles[label].color};font-size:17px'>●</span>"
        made.append(
            {
                "text": f"{chip} <b>{name}</b>  {remarks.get(label, '')}".rstrip(),
                **{"xref": f"x{axis} domain", "yref": f"y{axis} domain"},
                **{"x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom"},
                **{"yshift": 2, "showarrow": False, "align": "left"},
                "font": {"size": 13 if len(name) < 20 else 11},
            }
        )
    return made


def lock_aspect(figure: go.Figure) -> None:
    """Give both axes of every panel the same scale."""
    for place, axis in enumerate(figure.select_yaxes(), 1):
        axis.scaleanchor = "x" if place == 1 else f"x{place}"


def add_controls(
    figure: go.Figure, steps: Sequence[int], below: int = 0, word: str = "step"
) -> None:
    """Add play button and slider to a figure with frames, paused at the last.

    Args:
        figure: The figure; its frames are named by their steps.
        steps: One for each frame.
        below: Pixels that the axis under the plot takes.
        word: What the slider counts, such as "step".
    """
    now: dict[str, Any] = {"mode": "immediate", "transition": {"duration": 0}}
    jump = now | {"frame": {"duration": 0, "redraw": True}}
    play = now | {"frame": {"duration": 120, "redraw": True}, "fromcurrent": True}
    buttons = [
        {"label": "▶", "method": "animate", "args": [None, play]},
        {"label": "❚❚", "method": "animate", "args": [[None], jump]},
    ]
    calm = {"bgcolor": "rgba(0,0,0,0)", "bordercolor": GRID, "y": 0, "yanchor": "top"}
    figure.update_layout(
        margin_b=CONTROLS + 8 + below,
        meta={**figure.layout.meta, "controls": CONTROLS, "frames": word},
        updatemenus=[
            {
                **calm,
                **{"type": "buttons", "direction": "left", "showactive": False},
                **{"buttons": buttons, "x": 0, "xanchor": "left"},
                "pad": {"t": 18 + below, "r": 8},
            }
        ],
        sliders=[
            {
                **{**calm, "bgcolor": GRID, "active": len(steps) - 1},
                **{"x": 0.3, "len": 0.7, "pad": {"t": 4 + below}, "ticklen": 0},
                **{"minorticklen": 0, "font": {"size": 11}, "borderwidth": 0},
                "currentvalue": {"prefix": f"{word} ", "xanchor": "right", "offset": 4},
                "steps": [
                    {"label": str(s), "method": "animate", "args": [[str(s)], jump]}
                    for s in steps
                ],
            }
        ],
    )
