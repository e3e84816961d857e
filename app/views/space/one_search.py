"""The view One search: what a strategy favored, tried and traded off in one search."""

from collections.abc import Mapping

import streamlit as st

from app.charts import search_films as charts
from app.charts.chart_options import ViewState
from app.charts.search_films import FilmedSearch
from app.client.client import Run
from app.figures.theme import learner_name
from app.views.run.search_films import cached_figure, search_in_view
from app.widgets import page_elements
from engine.contract.learner_appearance import name_in_words


def draw_section(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw in detail the search that the film above shows."""
    filmed = search_in_view(run)
    if filmed is None:
        page_elements.draw_empty(
            "No search was recorded",
            "The first searches of the test are recorded at its end.",
        )
        return
    name = learner_name(filmed.label)
    st.caption(f"Search {filmed.search + 1} of {name}, as chosen above the film.")
    _draw_search(run, filmed)


def _draw_search(run: Run, filmed: FilmedSearch) -> None:
    """Draw trade-offs and decisions; of a policy also what it favored."""
    left, right = st.columns(2, gap="large")
    with left:
        lines = cached_figure(
            run, filmed, "lines", lambda: charts.parallel_chart(filmed)
        )
        page_elements.draw_chart(lines, "lines")
    with right:
        _draw_pareto(run, filmed)
    if not charts.has_policy(filmed):
        return
    with left:
        favors = cached_figure(
            run, filmed, "favors", lambda: charts.favors_chart(run, filmed)
        )
        page_elements.draw_chart(favors, "favors")
    with right:
        policy = cached_figure(
            run, filmed, "policy", lambda: charts.policy_chart(filmed)
        )
        page_elements.draw_chart(policy, "policy")


def _draw_pareto(run: Run, filmed: FilmedSearch) -> None:
    """Draw accuracy against a property that the user chooses, if both are known."""
    here = charts.tradeoff_properties(filmed)
    if not here:
        st.caption(
            "Accuracy against parameters or latency is shown only if the accuracy of "
            "every architecture on this search's task is known."
        )
        return
    name = str(
        st.selectbox(
            "Trade-off against",
            here,
            format_func=lambda name: name_in_words(name),
            key="pareto_property",
            width=240,
        )
    )
    made = cached_figure(
        run,
        filmed._replace(label=""),
        f"pareto.{name}",
        lambda: charts.pareto_chart(run, filmed, name),
    )
    page_elements.draw_chart(made, "pareto")
