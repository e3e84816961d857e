"""The first searches of a run, looked at one by one: what was found, and how."""

from typing import NamedTuple

import plotly.graph_objects as go
import streamlit as st

from app.charts.figure_cache import kept
from app.client.client import Run
from app.figures.cell import architecture_figure
from app.figures.parallel import parallel_figure
from app.figures.pareto import Property, pareto_figure
from app.figures.policy import policy_figure, policy_film
from app.figures.space_data import Space, known, searched
from app.figures.theme import learner_name
from app.views.run.films import FILMS
from app.widgets import panels
from app.widgets.escaping import plain
from engine.contract.appearance import name_in_words
from engine.contract.blocks import Artefact


class Place(NamedTuple):
    """Which of the kept searches is looked at, and whose."""

    film: Artefact
    which: int
    label: str


def film(run: Run) -> None:
    """Draw one search from all sides; nothing where none was kept."""
    names = [name for name in FILMS if run.film(name) is not None]
    if not names:
        return
    with st.container(key="film"):
        panels.heading("One search, looked at", "The first searches of the tests.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            place = _place(run, names)
        if place is None:
            st.caption("No strategy could search here.")
            return
        _draw(run, place)


def _place(run: Run, names: list[str]) -> Place | None:
    name = names[0]
    if len(names) > 1:
        name = st.segmented_control(
            *("Film", names),
            format_func=FILMS.get,
            default=names[0],
            key="film_name",
            bind="query-params",
            required=True,
        )
    made = run.film(str(name))
    labels = [a for a in run.roles if made and f"{a}/architecture" in made.arrays]
    if made is None or not labels:
        return None
    label = st.selectbox(
        *("Strategy", labels),
        format_func=learner_name,
        key=f"film_label.{run.key[:12]}",
        width=220,
    )
    tasks = [plain(str(task)) for task in made.info.get("tasks", [])]
    which = st.segmented_control(
        *("Search", list(range(len(tasks)))),
        format_func=lambda at: f"{at + 1} · {tasks[at]}",
        default=0,
        key="film_search",
        required=True,
    )
    return Place(made, int(which or 0), str(label))


def _draw(run: Run, place: Place) -> None:
    favored = f"{place.label}/policy" in place.film.arrays
    left, right = st.columns(2, gap="large")
    with left:
        wide, narrow = _kept(run, place, "architecture", lambda: _found(run, place))
        panels.chart(wide, "film_chart", narrow=narrow)
        known_all = _pareto(run, place)
    with right:
        if favored:
            panels.chart(
                _kept(run, place, "favors", lambda: _favors(run, place)), "favors"
            )
    with right if known_all or not favored else left:  # where there is room
        panels.chart(_kept(run, place, "lines", lambda: _parallel(place)), "lines")
    if favored:
        shown = place.film, place.label
        panels.chart(
            _kept(run, place, "policy", lambda: policy_figure(*shown)), "policy"
        )


def _favors(run: Run, place: Place) -> go.Figure:
    return policy_film(place.film, place.label, run.roles)


def _kept(run: Run, place: Place, name: str, make: object) -> go.Figure:
    at = (place.film.name, place.which, place.label)
    return kept((name, run.edition, *at), make)  # type: ignore[arg-type]


def _found(run: Run, place: Place) -> tuple[go.Figure, go.Figure | None]:
    """Return the figure and, where it is laid out otherwise there, a phone's."""
    space, one = Space.of(place.film), searched(*_at(place))
    wide, *narrow = (
        architecture_figure(space, one, place.label, run.roles, columns=columns)
        for columns in ((2, 1) if space.edges else (2,))
    )
    return wide, narrow[0] if narrow else None


def _parallel(place: Place) -> go.Figure:
    one, table = searched(*_at(place)), known(place.film, place.which)
    worth = one.signal if table is None else table[one.index]
    return parallel_figure(Space.of(place.film), one.index, worth, place.label)


def _at(place: Place) -> tuple[Artefact, str, int]:
    return place.film, place.label, place.which


def _pareto(run: Run, place: Place) -> bool:
    """Draw accuracy against a property that a person chooses, where both are known."""
    units = {str(k): str(v) for k, v in place.film.info.get("properties", {}).items()}
    here = [name for name in units if f"property/{name}" in place.film.arrays]
    table = known(place.film, place.which)
    if not here or table is None:
        st.caption(
            "Accuracy against parameters or latency is drawn where the accuracy of "
            "every architecture on this search's task is known."
        )
        return False
    name = str(
        st.selectbox(
            *("Held against", here),
            format_func=lambda name: name_in_words(name),
            key="pareto_property",
            width=240,
        )
    )
    held = Property(name, units[name], place.film.arrays[f"property/{name}"])
    labels = [a for a in run.roles if f"{a}/architecture" in place.film.arrays]

    def make() -> go.Figure:
        found = {a: searched(place.film, a, place.which).index for a in labels}
        return pareto_figure(table, held, found, run.roles)

    panels.chart(_kept(run, place._replace(label=""), f"pareto.{name}", make), "pareto")
