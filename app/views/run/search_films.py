"""The film of a search: the architectures that a strategy trained, one by one."""

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

T = TypeVar("T")


def draw_search_film(run: Run) -> None:
    """Draw one recorded search step by step; nothing where none was recorded."""
    names = _film_names(run)
    if not names:
        return
    with st.container(key="film"):
        with st.container(
            horizontal=True, vertical_alignment="bottom", key="film_tools"
        ):
            filmed = _choose_search(run, names)
        if filmed is None:
            st.caption("No strategy is applicable here.")
            return
        wide, narrow = cached_figure(
            run,
            filmed,
            "architecture",
            lambda: charts.architecture_figures(run, filmed),
        )
        page_elements.draw_chart(wide, "film_chart", narrow=narrow)


def search_in_view(run: Run) -> FilmedSearch | None:
    """Return the search that the film above shows; None where there is none."""
    names = _film_names(run)
    chosen = st.session_state.get("film_name")
    film = run.film(chosen if chosen in names else names[0]) if names else None
    labels = charts.filmed_labels(run, film) if film is not None else []
    if film is None or not labels:
        return None
    label = st.session_state.get(_label_key(run))
    search = int(st.session_state.get("film_search") or 0)
    return FilmedSearch(film, search, label if label in labels else labels[0])


def _film_names(run: Run) -> list[str]:
    return [name for name in FILMS if name in run.film_names]


def _label_key(run: Run) -> str:
    return f"film_label.{run.key[:12]}"


def _choose_search(run: Run, names: list[str]) -> FilmedSearch | None:
    made = choose_film(run, names)
    labels = charts.filmed_labels(run, made) if made else []
    if made is None or not labels:
        return None
    label = st.selectbox(
        "Strategy",
        labels,
        format_func=learner_name,
        key=_label_key(run),
        width=200,
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


def cached_figure(
    run: Run, filmed: FilmedSearch, name: str, make: Callable[[], T]
) -> T:
    """Return what is drawn of a recorded search, made once.

    Args:
        run: A run that has ended.
        filmed: The search.
        name: What is drawn.
        make: Makes it.
    """
    at = (filmed.film.name, filmed.search, filmed.label)
    return get_or_make((name, run.cache_key, *at), make)
