"""The page Runs: the list of runs, actions on them, and their comparison."""

import streamlit as st

from app.client import client
from app.views import compare, runs
from app.widgets import page_elements, page_frame
from engine.contract.jobs import ALIVE

with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Runs", anchor=False)
    st.space("stretch")
    runs.draw_import()
states, text = runs.draw_filters()


def draw_list() -> None:
    """Draw one page of runs and what can be done with the selected ones."""
    found, total = runs.choose_page(states, text)
    if not found:
        if text or states:
            page_elements.draw_empty(
                "No run matches", "Clear the filter to see all runs."
            )
        else:
            page_elements.draw_empty(
                "No run yet",
                "Go to the **Lab**, choose an experiment and press **Run**. "
                "Every run is stored here, with its results.",
            )
        return
    st.caption(f"{total:,} run{'s' * (total != 1)}")
    keys = runs.draw_runs_table(found)
    runs.draw_actions(keys)
    compare.draw_comparison(keys)


alive = client.jobs(ALIVE, "", (1, 0))[1] > 0
page_frame.poll(draw_list, 2.0 if alive else None)()
