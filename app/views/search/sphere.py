"""The space that was searched: its sphere, its map, and any architecture of it."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from app.charts.figure_cache import kept
from app.client.client import Run
from app.figures.cell import cell_figure
from app.figures.space_atlas import Atlas
from app.figures.space_data import Space
from app.figures.space_ruggedness import distance_figure, map_figure, walk_figure
from app.figures.sphere import Journey, for_phones, sphere_figure
from app.figures.theme import learner_name, number, style
from app.widgets import panels, tables
from app.widgets.escaping import plain
from app.widgets.live_plot import live_plot
from app.widgets.panels import coming
from engine.contract.appearance import name_in_words
from engine.stats.search.landscape import fitness_distance

FILM = "film"
LISTED = 20_000
NEAREST = 8


def tab(run: Run) -> None:
    """Draw the sphere of a run's space, and what was opened on it."""
    atlas = _atlas(run)
    if atlas is None:
        return
    key = f"sphere.{run.key[:12]}"
    opened = st.session_state.get(f"{key}.opened")
    left, right = st.columns([3, 2], gap="large")
    with left:
        journey = _journey(run, atlas)
        fig = sphere_figure(atlas, run.roles, journey, opened)
        narrow = for_phones(fig)
        _clicked(panels.chart(fig, f"{key}.ball", narrow=narrow, pick=True), key)
    with right:
        if journey is not None:
            _covered(atlas, journey)
        _chooser(atlas, run, key)
        if opened is not None and opened < atlas.size:
            architecture(atlas, int(opened), key)
    _landscape(run, atlas, key)


def _atlas(run: Run) -> Atlas | None:
    if run.alive:
        coming(run, "The sphere comes at the end", "It shows the whole space.")
        return None
    film = run.film(FILM)
    if film is None or film.kind != "search":
        panels.empty(
            "This run kept no search",
            "A run of searches that finishes draws its whole space here.",
        )
        return None
    atlas = Atlas(film)
    if atlas.places("sphere/xyz") is None:
        panels.empty(
            "This space cannot be listed",
            f"It has {atlas.size:,} architectures; up to {LISTED:,} are drawn.",
        )
        return None
    return atlas


def _journey(run: Run, atlas: Atlas) -> Journey | None:
    labels = [label for label in run.roles if atlas.searches(label)]
    if not labels:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            *("Search by", labels),
            format_func=learner_name,
            key="sphere_learner",
            bind="query-params",
            width=210,
        )
        held = atlas.searches(str(label))
        search = st.selectbox(
            *("Which search", held),
            format_func=lambda i: f"search {i + 1}",
            key="sphere_search", bind="query-params", width=130,
        )  # fmt: skip
        every = st.toggle(
            "Join every evaluation", key="sphere_every", bind="query-params",
            help="Off: the line joins only the best so far.",
        )  # fmt: skip
    return Journey(str(label), int(search or 0), bool(every))


def _covered(atlas: Atlas, journey: Journey) -> None:
    found = atlas.covered(journey.label, journey.search)
    trained = len(atlas.path(journey.label, journey.search))
    st.markdown(
        f"**{plain(learner_name(journey.label))}** trained {trained} times, "
        f"**{found.distinct}** different architectures: **{found.share:.2%}** of "
        f"{atlas.size:,}. {found.within:.0%} of the space is trained or one change "
        f"away; the mean angle from an architecture to the nearest one trained is "
        f"{np.degrees(found.nearest):.0f}°."
    )


def _clicked(index: int | None, key: str) -> None:
    if index is not None and index != st.session_state.get(f"{key}.opened"):
        st.session_state[f"{key}.opened"] = int(index)
        st.rerun()


def _chooser(atlas: Atlas, run: Run, key: str) -> None:
    """Offer architectures by name, for those who cannot click a dot."""
    notable = _notable(atlas, run)

    def opens() -> None:
        chosen = st.session_state.get(f"{key}.choice")
        if chosen in notable:
            st.session_state[f"{key}.opened"] = notable[chosen]

    st.selectbox(
        *("Open an architecture", list(notable)),
        index=None,
        key=f"{key}.choice",
        on_change=opens,
        placeholder="Click a dot, or choose one here",
    )
    with st.popover("Decision by decision"):
        _spelled(atlas, key)


def _spelled(atlas: Atlas, key: str) -> None:
    opened = int(st.session_state.get(f"{key}.opened") or 0)
    code = atlas.code(min(opened, atlas.size - 1))
    chosen = [
        st.selectbox(
            *(plain(atlas.positions[p]), range(len(names))),
            index=code[p],
            format_func=names.__getitem__,
            key=f"{key}.decision.{p}.{opened}",
        )
        for p, names in enumerate(atlas.options)
    ]
    if st.button("Open it", key=f"{key}.spelled"):
        st.session_state[f"{key}.opened"] = atlas.index([int(c) for c in chosen])
        st.rerun()


def _notable(atlas: Atlas, run: Run) -> dict[str, int]:
    found: dict[str, int] = {}
    optima = atlas.optima()
    if len(optima):
        found["The best of the space"] = int(optima[0])
    for label in run.roles:
        for search in atlas.searches(label):
            best = atlas.found(label, search)
            if best:
                who = learner_name(label)
                found[f"Found by {who}, search {search + 1}"] = best[-1][1]
    for place, index in enumerate(optima[1:8], 2):
        found[f"Local optimum {place}"] = int(index)
    return found


def architecture(atlas: Atlas, index: int, key: str) -> None:
    """Show one architecture: its operations, numbers and neighbors."""
    panels.heading(f"Architecture no. {index}")
    if atlas.edges:
        look = style(atlas.name, "chosen", 0)
        fig = cell_figure(Space.of(atlas.film), index, look)
        live_plot(fig, key=f"{key}.cell", alt=fig.layout.meta["alt"])
    told = {**_numbers(atlas, index), **({} if atlas.edges else atlas.words(index))}
    columns = st.columns(2)
    for place, column in enumerate(columns):
        with column:
            panels.facts(dict(list(told.items())[place::2]))
    near = atlas.beside(index)
    if not len(near):
        return
    st.caption(
        f"Nearest neighbors: {len(near)} architectures are one change away; the best "
        f"{min(NEAREST, len(near))} of them."
    )
    rows = [
        {"Change": atlas.change(index, int(n)), **_scored(atlas, int(n))}
        for n in near[:NEAREST]
    ]
    tables.draw(
        rows,
        alt="Neighbors of the opened architecture, the best first",
    )


def _numbers(atlas: Atlas, index: int) -> dict[str, str]:
    told: dict[str, str] = {}
    if atlas.scores is not None:
        score = atlas.scores[index]
        told["Accuracy"] = f"{100 * score:.2f} %" if np.isfinite(score) else "not known"
        there = int(np.isfinite(atlas.scores).sum())
        if np.isfinite(score):
            told["Rank"] = f"{atlas.ranks[index]:,} of {there:,}"
    for name, (value, unit) in list(atlas.properties(index).items())[:6]:
        told[name_in_words(name)] = f"{number(value)} {unit}"
    return told


def _scored(atlas: Atlas, index: int) -> dict[str, object]:
    if atlas.scores is None:
        return {}
    return {
        "Accuracy (%)": round(100 * float(atlas.scores[index]), 2),
        "Rank": int(atlas.ranks[index]),
    }


def _landscape(run: Run, atlas: Atlas, key: str) -> None:
    scores = atlas.scores
    if scores is None or not np.isfinite(scores).any():
        return
    st.subheader(f"Performance landscape of {plain(atlas.task)}", anchor=False)
    _peaks(atlas)
    left, right = st.columns([3, 2], gap="large")
    opened = st.session_state.get(f"{key}.opened")
    with left:
        by_basin = st.segmented_control(
            *("Color", ["accuracy", "basin"]),
            default="accuracy", key="map_color", bind="query-params", required=True,
        ) == "basin"  # fmt: skip
        fig = map_figure(atlas, by_basin=by_basin, opened=opened)
        narrow = go.Figure(layout=fig.layout).update_layout(height=380)
        _clicked(panels.chart(fig, f"{key}.map", narrow=narrow, pick=True), key)
    with right:
        found = kept(
            ("distance", run.edition), lambda: fitness_distance(scores, atlas.radix)
        )
        panels.chart(distance_figure(found), f"{key}.distance")
        walk = atlas.geometry.get("walk")
        if walk:
            panels.chart(walk_figure(walk), f"{key}.walk")


def _peaks(atlas: Atlas) -> None:
    optima, basin = atlas.optima(), atlas.basin()
    sizes = np.bincount(basin[basin >= 0], minlength=max(len(optima), 1))
    total = max(int(sizes.sum()), 1)
    words = "local optimum" if len(optima) == 1 else "local optima"
    st.markdown(
        f"**{len(optima)} {words}**, which no single change improves. Steepest ascent "
        f"from a random architecture ends at the best of all in "
        f"**{sizes[0] / total:.0%}** of cases; the largest basin holds "
        f"{sizes.max() / total:.0%}."
    )
