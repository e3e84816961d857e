"""Transfer: does what was learned carry over to shifted and to other tasks?"""

import streamlit as st

from app.views import transfer

st.title("Transfer", anchor=False)
jobs = transfer.finished()
names = ("Severity", "Families", "Start from a frozen learner")
tabs = st.tabs(names, key="transfer", bind="query-params")
for tab, draw in zip(
    tabs, (transfer.severity, transfer.matrix, transfer.start), strict=True
):
    if tab.open:
        with tab:
            draw(jobs)
transfer.lineage(jobs)
