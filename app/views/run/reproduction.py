"""The tab Reproduce: all that is needed to compute the run again."""

from collections.abc import Mapping

from app.charts.chart_options import ViewState
from app.client.client import Run
from app.views.run import exports


def draw_section(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw what is needed to reproduce a run."""
    exports.draw_reproduction(run)
