"""The section Table: the numbers of the run in the way that suits its kind."""

from collections.abc import Mapping

from app.charts.chart_options import ViewState
from app.client.client import Run
from app.views.run.kind_view import VIEWS


def draw_section(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw the table of a finished run."""
    VIEWS[run.kind.name].draw_table(run, titles)
