"""The section Per task: each task's result, and the share of tasks at each level."""

from collections.abc import Mapping

import streamlit as st

from app.charts import per_task
from app.charts.chart_options import ViewState
from app.client.client import Run
from app.figures.theme import learner_name
from app.widgets import page_elements
from app.widgets.escaping import escape_markdown
from app.widgets.metric_select import metric_select


def draw_section(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw the results of a run, task by task."""
    names = per_task.per_task_metrics(run, view_state)
    if not names:
        page_elements.draw_empty(
            "No test yet", "Results per task appear with the tests."
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = metric_select(names, "per_task_metric")
        paired = st.toggle(
            "Connect each task's dots", key="paired", bind="query-params"
        )
    left, right = st.columns(2, gap="large")
    with left:
        made = per_task.spread_chart(run, metric, view_state, paired=paired)
        page_elements.draw_chart(made, "spread")
    with right:
        made = per_task.profile_chart(run, metric, view_state)
        page_elements.draw_chart(made, "profile")
    st.caption(_describe_diverged(run, view_state))


def _describe_diverged(run: Run, view_state: ViewState) -> str:
    counts = {}
    for label in run.roles:
        gone = run.table.test_values(label, "diverged", view_state.condition)
        if gone is not None and gone.sum():
            counts[label] = f"{learner_name(label)} {int(gone.sum())} of {gone.size}"
    return escape_markdown(f"Diverged: {', '.join(counts.values()) or 'none'}.")
