"""Runs: what is queued, running and done, and what of it to look at."""

import streamlit as st

from app.client import client
from app.views import compare, runs
from app.widgets import frame, panels
from engine.contract.jobs import ALIVE

with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Runs", anchor=False)
    st.space("stretch")
    runs.bring()
states, text = runs.filters()


def listing() -> None:
    """Draw one page of runs and what can be done with the selected ones."""
    found, total = runs.page(states, text)
    if not found:
        if text or states:
            panels.empty("No run fits", "Clear the filter to see all runs.")
        else:
            panels.empty(
                "No run yet",
                "Go to the **Lab**, choose an experiment and press **Run**. "
                "Every run is kept here, with its numbers.",
            )
        return
    st.caption(f"{total:,} run{'s' * (total != 1)}")
    keys = runs.table(found)
    runs.actions(keys)
    compare.compare(keys)


alive = client.jobs(ALIVE, "", (1, 0))[1] > 0
frame.polled(listing, 2.0 if alive else None)()
