"""The view options of a run's charts, and a figure with its stable name."""

from typing import NamedTuple

import plotly.graph_objects as go

from engine.contract.events import Condition

IN_DISTRIBUTION = Condition()
HEIGHT = 320  # pixels
MAIN_HEIGHT = 420  # of the chart beside the film
# The films of a run by name, and the condition of each.
FILMS = {"film": "In distribution", "film-shifted": "Shifted"}


class ViewState(NamedTuple):
    """View options that the user chose; they never change what was run."""

    condition: Condition = IN_DISTRIBUTION
    metrics: tuple[str, ...] = ("loss", "lr_scale")
    log: bool | None = None
    smooth: float = 0.0
    x: str = "step"
    threshold: float | None = None


class NamedFigure(NamedTuple):
    """A figure and the stable name of its chart."""

    name: str
    figure: go.Figure


class ResponsiveFigure(NamedTuple):
    """A figure, its layout for narrow screens, and the chart's stable name."""

    name: str
    wide: go.Figure
    narrow: go.Figure | None = None
