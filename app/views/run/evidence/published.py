"""The section Published: figures of papers beside those of the run."""

from collections.abc import Mapping

from app.charts.chart_options import ViewState
from app.client.client import Run
from app.views.run import run_tables


def draw_section(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw the published figures for the task of a finished run."""
    run_tables.draw_published(run, titles)
