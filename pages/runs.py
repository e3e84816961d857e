"""The page Runs: the list of runs, actions on them, and their comparison."""

import streamlit as st

from app.client import client
from app.views import compare, run_groups, runs
from app.widgets import page_elements, page_frame
from engine.contract.jobs import ALIVE

with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Runs", anchor=False)
    st.space("stretch")
    runs.draw_import()
states, text = runs.draw_filters()


def draw_list() -> None:
    """Draw one page of runs and what can be done with the selected ones."""
    group = run_groups.open_group()
    if group is not None:
        run_groups.draw_group(group)
    found, total = runs.choose_page(states, text, group.name if group else "")
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
    st.caption(runs.describe_count(found, total))
    names = runs.draw_runs_table(found)
    runs.draw_actions(names)
    compare.draw_comparison(runs.runs_of(names))


alive = client.jobs(ALIVE, "", (1, 0))[1] > 0
page_frame.poll(draw_list, 2.0 if alive else None)()
