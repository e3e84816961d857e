"""The page Transfer: results under shifts, on other families, from frozen learners."""

import streamlit as st

from app.views import transfer

st.title("Transfer", anchor=False)
jobs = transfer.list_finished()
names = ("Severity", "Families", "Start from a frozen learner")
tabs = st.tabs(names, key="transfer", bind="query-params")
for tab, draw in zip(
    tabs,
    (transfer.draw_severity, transfer.draw_matrix, transfer.draw_frozen_start),
    strict=True,
):
    if tab.open:
        with tab:
            draw(jobs)
transfer.draw_lineage(jobs)
