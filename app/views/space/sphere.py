"""The searched space: its sphere, its map, and details of any architecture."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from app.charts.chart_options import ViewState
from app.charts.search_space import distances
from app.client.client import Run
from app.figures.architecture import cell_figure
from app.figures.space_data import Space
from app.figures.space_film_reader import SpaceFilm
from app.figures.space_ruggedness import distance_figure, map_figure, walk_figure
from app.figures.sphere import SearchPath, phone_layout, sphere_figure
from app.figures.theme import format_number, learner_name, learner_style
from app.widgets import page_elements, tables
from app.widgets.escaping import escape_markdown
from app.widgets.live_plot import live_plot
from engine.contract.learner_appearance import name_in_words

FILM = "film"
MAX_LISTED = 20_000
NEAREST = 8


def draw_section(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw the sphere of a run's space, and the opened architecture."""
    space_film = _load_space(run)
    if space_film is None:
        return
    key = f"sphere.{run.key[:12]}"
    opened = st.session_state.get(f"{key}.opened")
    left, right = st.columns([3, 2], gap="large")
    with left:
        search_path = _choose_path(run, space_film)
        fig = sphere_figure(space_film, run.roles, search_path, opened)
        narrow = phone_layout(fig)
        _open_clicked(
            page_elements.draw_chart(fig, f"{key}.ball", narrow=narrow, pick=True), key
        )
    with right:
        if search_path is not None:
            _draw_coverage(space_film, search_path)
        _draw_chooser(space_film, run, key)
        if opened is not None and opened < space_film.size:
            draw_architecture(space_film, int(opened), key)
    _draw_landscape(run, space_film, key)


def _load_space(run: Run) -> SpaceFilm | None:
    film = run.film(FILM)
    if film is None or film.kind != "search":
        page_elements.draw_empty(
            "This run has no recorded search",
            "A finished search run shows its whole space here.",
        )
        return None
    space_film = SpaceFilm(film)
    if space_film.coordinates("sphere/xyz") is None:
        page_elements.draw_empty(
            "This space is too large to be drawn",
            f"It has {space_film.size:,} architectures; up to {MAX_LISTED:,} are "
            "drawn.",
        )
        return None
    return space_film


def _choose_path(run: Run, space_film: SpaceFilm) -> SearchPath | None:
    labels = [label for label in run.roles if space_film.search_indices(label)]
    if not labels:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            "Search by",
            labels,
            format_func=learner_name,
            key="sphere_learner",
            bind="query-params",
            width=210,
        )
        held = space_film.search_indices(str(label))
        search = st.selectbox(
            "Which search",
            held,
            format_func=lambda i: f"search {i + 1}",
            key="sphere_search",
            bind="query-params",
            width=130,
        )
        every = st.toggle(
            "Connect all evaluations",
            key="sphere_every",
            bind="query-params",
            help="Off: the line connects only the best so far.",
        )
    return SearchPath(str(label), int(search or 0), bool(every))


def _draw_coverage(space_film: SpaceFilm, search_path: SearchPath) -> None:
    found = space_film.search_coverage(search_path.label, search_path.search)
    trained = len(space_film.trained_indices(search_path.label, search_path.search))
    st.markdown(
        f"**{escape_markdown(learner_name(search_path.label))}** trained {trained} "
        f"times: **{found.distinct}** different architectures: **{found.share:.2%}** "
        f"of {space_film.size:,}. {found.within:.0%} of the space is trained or one "
        "change away; the mean angle from an architecture to the nearest one trained "
        f"is {np.degrees(found.nearest):.0f}°."
    )


def _open_clicked(index: int | None, key: str) -> None:
    if index is not None and index != st.session_state.get(f"{key}.opened"):
        st.session_state[f"{key}.opened"] = int(index)
        st.rerun()


def _draw_chooser(space_film: SpaceFilm, run: Run, key: str) -> None:
    """Draw the choice of architectures by name, for users who cannot click a dot."""
    notable = _notable_architectures(space_film, run)

    def open_choice() -> None:
        chosen = st.session_state.get(f"{key}.choice")
        if chosen in notable:
            st.session_state[f"{key}.opened"] = notable[chosen]

    st.selectbox(
        "Open an architecture",
        list(notable),
        index=None,
        key=f"{key}.choice",
        on_change=open_choice,
        placeholder="Click a dot, or choose one here",
    )
    with st.popover("Choose decision by decision"):
        _draw_decision_choice(space_film, key)


def _draw_decision_choice(space_film: SpaceFilm, key: str) -> None:
    opened = int(st.session_state.get(f"{key}.opened") or 0)
    code = space_film.code(min(opened, space_film.size - 1))
    chosen = [
        st.selectbox(
            escape_markdown(space_film.positions[p]),
            range(len(names)),
            index=code[p],
            format_func=names.__getitem__,
            key=f"{key}.decision.{p}.{opened}",
        )
        for p, names in enumerate(space_film.options)
    ]
    if st.button("Open it", key=f"{key}.spelled"):
        st.session_state[f"{key}.opened"] = space_film.index([int(c) for c in chosen])
        st.rerun()


def _notable_architectures(space_film: SpaceFilm, run: Run) -> dict[str, int]:
    found: dict[str, int] = {}
    optima = space_film.optima()
    if len(optima):
        found["The best of the space"] = int(optima[0])
    for label in run.roles:
        for search in space_film.search_indices(label):
            best = space_film.best_so_far(label, search)
            if best:
                who = learner_name(label)
                found[f"Found by {who}, search {search + 1}"] = best[-1][1]
    for place, index in enumerate(optima[1:8], 2):
        found[f"Local optimum {place}"] = int(index)
    return found


def draw_architecture(space_film: SpaceFilm, index: int, key: str) -> None:
    """Draw one architecture: its operations, its numbers and its neighbors."""
    page_elements.draw_heading(f"Architecture no. {index}")
    if space_film.edges:
        look = learner_style(space_film.name, "chosen", 0)
        fig = cell_figure(Space.from_film(space_film.film), index, look)
        live_plot(fig, key=f"{key}.cell", alt=fig.layout.meta["alt"])
    facts = {
        **_architecture_facts(space_film, index),
        **({} if space_film.edges else space_film.options_by_decision(index)),
    }
    columns = st.columns(2)
    for place, column in enumerate(columns):
        with column:
            page_elements.draw_facts(dict(list(facts.items())[place::2]))
    near = space_film.nearest_neighbors(index)
    if not len(near):
        return
    st.caption(
        f"Nearest neighbors: {len(near)} architectures are one change away. The best "
        f"{min(NEAREST, len(near))}:"
    )
    rows = [
        {
            "Change": space_film.describe_change(index, int(n)),
            **_score_columns(space_film, int(n)),
        }
        for n in near[:NEAREST]
    ]
    tables.draw_table(
        rows,
        alt="Neighbors of the opened architecture, the best first",
    )


def _architecture_facts(space_film: SpaceFilm, index: int) -> dict[str, str]:
    facts: dict[str, str] = {}
    if space_film.scores is not None:
        score = space_film.scores[index]
        facts["Accuracy"] = f"{100 * score:.2f} %" if np.isfinite(score) else "unknown"
        there = int(np.isfinite(space_film.scores).sum())
        if np.isfinite(score):
            facts["Rank"] = f"{space_film.ranks[index]:,} of {there:,}"
    for name, (value, unit) in list(space_film.properties(index).items())[:6]:
        facts[name_in_words(name)] = f"{format_number(value)} {unit}"
    return facts


def _score_columns(space_film: SpaceFilm, index: int) -> dict[str, object]:
    if space_film.scores is None:
        return {}
    return {
        "Accuracy (%)": round(100 * float(space_film.scores[index]), 2),
        "Rank": int(space_film.ranks[index]),
    }


def _draw_landscape(run: Run, space_film: SpaceFilm, key: str) -> None:
    scores = space_film.scores
    if scores is None or not np.isfinite(scores).any():
        return
    st.subheader(
        f"Performance landscape of {escape_markdown(space_film.task)}", anchor=False
    )
    _draw_peaks(space_film)
    left, right = st.columns([3, 2], gap="large")
    opened = st.session_state.get(f"{key}.opened")
    with left:
        by_basin = (
            st.segmented_control(
                "Color",
                ["accuracy", "basin"],
                default="accuracy",
                key="map_color",
                bind="query-params",
                required=True,
            )
            == "basin"
        )
        fig = map_figure(space_film, by_basin=by_basin, opened=opened)
        narrow = go.Figure(layout=fig.layout).update_layout(height=380)
        _open_clicked(
            page_elements.draw_chart(fig, f"{key}.map", narrow=narrow, pick=True), key
        )
    with right:
        found = distances(run, space_film)
        page_elements.draw_chart(distance_figure(found), f"{key}.distance")
        walk = space_film.geometry.get("walk")
        if walk:
            page_elements.draw_chart(walk_figure(walk), f"{key}.walk")


def _draw_peaks(space_film: SpaceFilm) -> None:
    optima, basin = space_film.optima(), space_film.basins()
    sizes = np.bincount(basin[basin >= 0], minlength=max(len(optima), 1))
    total = max(int(sizes.sum()), 1)
    words = "local optimum" if len(optima) == 1 else "local optima"
    st.markdown(
        f"**{len(optima)} {words}**, which no single change improves. Steepest ascent "
        f"from a random architecture ends at the global optimum in "
        f"**{sizes[0] / total:.0%}** of cases; the largest basin holds "
        f"{sizes.max() / total:.0%}."
    )
