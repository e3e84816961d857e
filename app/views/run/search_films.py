"""The first test searches of a run in detail: architectures, policy, trade-offs."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from app.charts import search_films as charts
from app.charts.chart_options import FILMS
from app.charts.figure_cache import get_or_make
from app.charts.search_films import FilmedSearch
from app.client.client import Run
from app.figures.theme import learner_name
from app.views.run.task_films import choose_film
from app.widgets import page_elements
from app.widgets.escaping import escape_markdown
from engine.contract.learner_appearance import name_in_words

T = TypeVar("T")


def draw_search_films(run: Run) -> None:
    """Draw one recorded search in detail; nothing where none was recorded."""
    names = [name for name in FILMS if run.film(name) is not None]
    if not names:
        return
    with st.container(key="film"):
        page_elements.draw_heading(
            "One search in detail", "The first searches of the test."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            place = _choose_search(run, names)
        if place is None:
            st.caption("No strategy is applicable here.")
            return
        _draw_search(run, place)


def _choose_search(run: Run, names: list[str]) -> FilmedSearch | None:
    made = choose_film(run, names)
    labels = charts.filmed_labels(run, made) if made else []
    if made is None or not labels:
        return None
    label = st.selectbox(
        "Strategy",
        labels,
        format_func=learner_name,
        key=f"film_label.{run.key[:12]}",
        width=220,
    )
    tasks = [escape_markdown(str(task)) for task in made.info.get("tasks", [])]
    which = st.segmented_control(
        "Search",
        list(range(len(tasks))),
        format_func=lambda at: f"{at + 1} · {tasks[at]}",
        default=0,
        key="film_search",
        required=True,
    )
    return FilmedSearch(made, int(which or 0), str(label))


def _draw_search(run: Run, filmed: FilmedSearch) -> None:
    favored = charts.has_policy(filmed)
    left, right = st.columns(2, gap="large")
    with left:
        wide, narrow = _get_or_make(
            run,
            filmed,
            "architecture",
            lambda: charts.architecture_figures(run, filmed),
        )
        page_elements.draw_chart(wide, "film_chart", narrow=narrow)
        known_all = _draw_pareto(run, filmed)
    with right:
        if favored:
            made = _get_or_make(
                run, filmed, "favors", lambda: charts.favors_chart(run, filmed)
            )
            page_elements.draw_chart(made, "favors")
    with right if known_all or not favored else left:  # where there is room
        made = _get_or_make(run, filmed, "lines", lambda: charts.parallel_chart(filmed))
        page_elements.draw_chart(made, "lines")
    if favored:
        made = _get_or_make(run, filmed, "policy", lambda: charts.policy_chart(filmed))
        page_elements.draw_chart(made, "policy")


def _get_or_make(run: Run, filmed: FilmedSearch, name: str, make: Callable[[], T]) -> T:
    at = (filmed.film.name, filmed.search, filmed.label)
    return get_or_make((name, run.cache_key, *at), make)


def _draw_pareto(run: Run, filmed: FilmedSearch) -> bool:
    """Draw accuracy against a property that the user chooses, if both are known."""
    here = charts.tradeoff_properties(filmed)
    if not here:
        st.caption(
            "Accuracy against parameters or latency is shown only if the accuracy of "
            "every architecture on this search's task is known."
        )
        return False
    name = str(
        st.selectbox(
            "Trade-off against",
            here,
            format_func=lambda name: name_in_words(name),
            key="pareto_property",
            width=240,
        )
    )
    made = _get_or_make(
        run,
        filmed._replace(label=""),
        f"pareto.{name}",
        lambda: charts.pareto_chart(run, filmed, name),
    )
    page_elements.draw_chart(made, "pareto")
    return True
