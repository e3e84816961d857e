"""A figure in its place, and how a person wants to look at a run."""

from typing import NamedTuple

import plotly.graph_objects as go

from engine.contract.events import Condition

IN_DISTRIBUTION = Condition()
HEIGHT = 240


class ViewState(NamedTuple):
    """How a person wants to look; never changes what was run."""

    condition: Condition = IN_DISTRIBUTION
    metrics: tuple[str, ...] = ("loss", "lr_scale")
    log: bool | None = None
    smooth: float = 0.0
    x: str = "step"
    threshold: float | None = None


class NamedFigure(NamedTuple):
    """A figure and the stable name of its place."""

    name: str
    figure: go.Figure
