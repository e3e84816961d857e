"""The page Compare: up to eight runs side by side."""

import streamlit as st

from app.views.compare import page

with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Compare", anchor=False)
    st.space("stretch")
    st.page_link("../pages/runs.py", label="All runs", icon=":material/arrow_back:")
page.draw_page()
