"""Lab: does what was learned help here, and how sure are we?"""

import streamlit as st

from app import session
from app.views.run import page
from app.widgets import live_plot

live_plot.fetch_early()
session.arrive("lab")
told, main = st.container(), st.container()
with main:  # first, for it is what a visitor came to see
    page.view(session.in_view(), "lab")
with st.sidebar:
    wanted = page.form()
with told:
    page.notices()
    page.offer(wanted)
if wanted:
    session.write_url(*wanted)
