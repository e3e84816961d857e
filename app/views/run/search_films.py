"""The first test searches of a run in detail: architectures, policy, trade-offs."""

from typing import NamedTuple

import plotly.graph_objects as go
import streamlit as st

from app.charts.figure_cache import get_or_make
from app.client.client import Run
from app.figures.architecture import architecture_figure
from app.figures.parallel_coordinates import parallel_figure
from app.figures.pareto import CostProperty, pareto_figure
from app.figures.policy import policy_figure, policy_film
from app.figures.space_data import Space, known_accuracies, read_search
from app.figures.theme import learner_name
from app.views.run.task_films import FILMS, choose_film
from app.widgets import page_elements
from app.widgets.escaping import escape_markdown
from engine.contract.events import Artefact
from engine.contract.learner_appearance import name_in_words


class FilmedSearch(NamedTuple):
    """One recorded search: its film, its number and its strategy."""

    film: Artefact
    search: int
    label: str


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
    labels = [a for a in run.roles if made and f"{a}/architecture" in made.arrays]
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
    favored = f"{filmed.label}/policy" in filmed.film.arrays
    left, right = st.columns(2, gap="large")
    with left:
        wide, narrow = _cached_figure(
            run, filmed, "architecture", lambda: _architecture_figures(run, filmed)
        )
        page_elements.draw_chart(wide, "film_chart", narrow=narrow)
        known_all = _draw_pareto(run, filmed)
    with right:
        if favored:
            page_elements.draw_chart(
                _cached_figure(
                    run, filmed, "favors", lambda: _policy_film_figure(run, filmed)
                ),
                "favors",
            )
    with right if known_all or not favored else left:  # where there is room
        page_elements.draw_chart(
            _cached_figure(run, filmed, "lines", lambda: _parallel_figure(filmed)),
            "lines",
        )
    if favored:
        shown = filmed.film, filmed.label
        page_elements.draw_chart(
            _cached_figure(run, filmed, "policy", lambda: policy_figure(*shown)),
            "policy",
        )


def _policy_film_figure(run: Run, filmed: FilmedSearch) -> go.Figure:
    return policy_film(filmed.film, filmed.label, run.roles)


def _cached_figure(
    run: Run, filmed: FilmedSearch, name: str, make: object
) -> go.Figure:
    at = (filmed.film.name, filmed.search, filmed.label)
    return get_or_make((name, run.cache_key, *at), make)  # type: ignore[arg-type]


def _architecture_figures(
    run: Run, filmed: FilmedSearch
) -> tuple[go.Figure, go.Figure | None]:
    """Return the figure and, where it differs, the layout for narrow screens."""
    space, one = Space.from_film(filmed.film), read_search(*_search_arguments(filmed))
    wide, *narrow = (
        architecture_figure(space, one, filmed.label, run.roles, columns=columns)
        for columns in ((2, 1) if space.edges else (2,))
    )
    return wide, narrow[0] if narrow else None


def _parallel_figure(filmed: FilmedSearch) -> go.Figure:
    one, table = (
        read_search(*_search_arguments(filmed)),
        known_accuracies(filmed.film, filmed.search),
    )
    worth = one.signal if table is None else table[one.index]
    return parallel_figure(Space.from_film(filmed.film), one.index, worth, filmed.label)


def _search_arguments(filmed: FilmedSearch) -> tuple[Artefact, str, int]:
    return filmed.film, filmed.label, filmed.search


def _draw_pareto(run: Run, filmed: FilmedSearch) -> bool:
    """Draw accuracy against a property that the user chooses, if both are known."""
    units = {str(k): str(v) for k, v in filmed.film.info.get("properties", {}).items()}
    here = [name for name in units if f"property/{name}" in filmed.film.arrays]
    table = known_accuracies(filmed.film, filmed.search)
    if not here or table is None:
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
    held = CostProperty(name, units[name], filmed.film.arrays[f"property/{name}"])
    labels = [a for a in run.roles if f"{a}/architecture" in filmed.film.arrays]

    def make() -> go.Figure:
        found = {a: read_search(filmed.film, a, filmed.search).index for a in labels}
        return pareto_figure(table, held, found, run.roles)

    page_elements.draw_chart(
        _cached_figure(run, filmed._replace(label=""), f"pareto.{name}", make), "pareto"
    )
