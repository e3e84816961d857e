"""The page Claims: what the field repeats, each sentence measured by its protocol."""

import streamlit as st

from app.views.claims import page
from app.widgets import live_plot

live_plot.preload_library()
st.title("Claims", anchor=False)
page.draw_tabs()
