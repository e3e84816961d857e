"""The section Meta-training: its curves, the tuning, and what was learned inside."""

from collections.abc import Mapping

import streamlit as st

from app.charts import optimization, training
from app.charts.chart_options import ViewState
from app.client.client import Run
from app.views.run import task_films
from app.widgets import page_elements


def draw_section(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw how a run was trained and tuned."""
    left, right = st.columns(2, gap="large")
    trained = training.meta_training_chart(run)
    with left:
        if trained is None:
            page_elements.draw_empty(
                "Nothing was meta-trained",
                f"Choose a {run.kind.words.learner.lower()} that is meta-trained.",
            )
        else:
            page_elements.draw_chart(trained, "meta_training")
    with right:
        for name, made in (
            ("tuning", training.tuning_chart(run)),
            ("scales", optimization.scale_chart(run, view_state)),
        ):
            if made is not None:
                page_elements.draw_chart(made, name)
    task_films.draw_insides(run)
