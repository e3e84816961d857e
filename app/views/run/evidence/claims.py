"""The section Claims: every comparison with its numbers, and as a forest."""

from collections.abc import Mapping

import streamlit as st

from app.charts.chart_options import ViewState
from app.charts.claim_forests import claims_by_learner, forest_chart
from app.client.client import Run
from app.figures.forest import HOW_TO_READ
from app.views.run.evidence import comparisons
from app.widgets import page_elements

MANY_CLAIMS = 14  # per learner; with more, only the deciding ones are drawn


def draw_section(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw the comparisons of a finished run, then a forest for each learner."""
    comparisons.draw_comparisons(run, titles)
    groups = claims_by_learner(run)
    if not groups:
        page_elements.draw_empty(
            "Nothing to compare", "Turn on a baseline and run again."
        )
        return
    most = max(map(len, groups.values()))
    every = most <= MANY_CLAIMS or st.toggle(
        "All learners, all conditions",
        key="every_claim",
        bind="query-params",
        help="Off: all learners in distribution; under other conditions only the main "
        "rival.",
    )
    st.caption(HOW_TO_READ)
    for place, (learner, metric) in enumerate(groups):
        if place % 2 == 0:
            columns = st.columns(2, gap="large")
        with columns[place % 2]:
            made = forest_chart(run, learner, metric, every=every)
            page_elements.draw_chart(made, f"forest.{learner}.{metric}")
