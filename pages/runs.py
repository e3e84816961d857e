"""Runs: what is queued, running and done, and what of it to look at."""

import streamlit as st

from app import compare, door, frame, library, panels
from engine.contract.jobs import ALIVE

with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Runs", anchor=False)
    st.space("stretch")
    library.bring()
states, text = library.filters()


def listing() -> None:
    """Draw one page of runs and what can be done with the selected ones."""
    found, total = library.page(states, text)
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
    keys = library.table(found)
    library.actions(keys)
    compare.compare(keys)


alive = door.jobs(ALIVE, "", (1, 0))[1] > 0
frame.polled(listing, 2.0 if alive else None)()
