"""The section Cost: what each learner spent on tuning, training and tests."""

from collections.abc import Mapping

import streamlit as st

from app.charts.chart_options import ViewState
from app.client.client import Run
from app.views.run.kind_view import VIEWS
from app.widgets.escaping import escape_markdown


def draw_section(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw the cost of a finished run."""
    for sentence in (run.summary or {}).get("shared", ()):
        st.caption(escape_markdown(sentence))
    VIEWS[run.kind.name].draw_cost(run, titles)
