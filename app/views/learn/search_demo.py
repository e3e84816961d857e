"""Live figure: searches on the recorded table of trained nets."""

import numpy as np
import streamlit as st

from app.client import recorded_examples
from app.figures.lessons.regret import regret_figure
from app.views.learn.lesson import draw_figure
from app.views.learn.simulated_search import Setting, Table, evolution, random_search
from engine.contract.kinds import SEARCH


@st.fragment
def draw_searches() -> None:
    """Draw the setting of the searches as sliders, and their regret."""
    table = _recorded_table()
    if table is None:
        st.caption("The recorded table that this figure needs is missing here.")
        return
    setting, population = _choose_setting()
    found = {
        "random search": random_search(table, setting),
        "evolution": evolution(table, setting, population),
    }
    draw_figure("regret", (setting, population), lambda: regret_figure(found))
    ends = {name: regret[:, -1] for name, regret in found.items()}
    wins = int((ends["evolution"] < ends["random search"]).sum())
    ties = int((ends["evolution"] == ends["random search"]).sum())
    st.markdown(
        f"At the end evolution is ahead in **{wins}** of {setting.searches} pairs of "
        f"searches, and level in {ties}. The table holds {len(table.scores):,} nets "
        "that were trained on handwritten digits."
    )


def _choose_setting() -> tuple[Setting, int]:
    """Draw the sliders; return the setting and the population of evolution."""
    first, second, third = st.columns(3, gap="small")
    searches = first.slider(
        "Searches",
        1,
        50,
        20,
        key="lesson_searches",
        help="Of each strategy. With one, luck decides.",
    )
    population = second.slider(
        "Population of evolution",
        5,
        50,
        20,
        key="lesson_population",
        help="How many of the newest architectures may have offspring. The first ones "
        "are random.",
    )
    noise = third.slider(
        "Noise of an evaluation",
        0.0,
        0.1,
        0.0,
        0.01,
        key="lesson_noise",
        help="Standard deviation of what is added to the accuracy that a search sees.",
    )
    return Setting(searches, noise=noise), population


def _recorded_table() -> Table | None:
    """Return the table of the recorded search; None if there is none."""
    run = recorded_examples.recorded_run(SEARCH.name)
    film = None if run is None else run.film("film")
    if film is None:
        return None
    scores = np.asarray(film.arrays["scores"], dtype=np.float64)
    return Table(scores, tuple(len(options) for options in film.info["options"]))
