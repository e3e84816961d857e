"""The page Runs: the list of runs and groups, and actions on them."""

import streamlit as st

from app.client import client
from app.views.runs import actions, filters, groups, table
from app.widgets import page_elements, page_frame
from engine.contract.jobs import ALIVE

with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Runs", anchor=False)
    st.space("stretch")
    actions.draw_delete_all()
    actions.draw_import()
group = groups.open_group()
if group is not None:
    groups.draw_group(group)
asked, order = filters.draw_filters(group.name if group else "")


def draw_list() -> None:
    """Draw one page of runs and what can be done with the selected ones."""
    page = table.read_chosen_page(asked, order)
    if page.total:
        st.caption(table.describe_count(page))
        above = st.container()  # so that actions are seen beside a long table
        names = table.draw_table(page)
        with above:
            actions.draw_actions(names)
    elif filters.is_filtered(asked):
        page_elements.draw_empty("No run matches", "Clear the filter to see all runs.")
    else:
        page_elements.draw_empty(
            "No run yet",
            "Go to the **Lab**, choose an experiment and press **Run**. "
            "Every run is stored here, with its results.",
        )


alive = client.jobs(ALIVE, "", (1, 0))[1] > 0
page_frame.poll(draw_list, 2.0 if alive else None)()
