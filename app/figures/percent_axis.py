"""Axes of shares: ticks and hover texts in percent, as in verdicts and tables."""

import plotly.graph_objects as go

from app.figures.theme import PERCENT


def show_percent(figure: go.Figure, axis: str = "y", row: int | None = None) -> None:
    """Show shares in percent, at the ticks of an axis and in its hover texts.

    Args:
        figure: The figure, before a strip of tasks still alive is added.
        axis: "x" or "y".
        row: Which row of panels; None for all.
    """
    where = {} if row is None else {"row": row, "col": 1}
    update = figure.update_yaxes if axis == "y" else figure.update_xaxes
    update(tickformat=PERCENT, **where)
    for trace in figure.select_traces(lambda trace: trace.hovertemplate, **where):
        trace.hovertemplate = trace.hovertemplate.replace(":.3g}", ":.2%}")
