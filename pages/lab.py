"""Lab: does what was learned help here, and how sure are we?"""

import streamlit as st

from app import lab, live_plot, session

live_plot.fetch_early()
session.arrive("lab")
told, main = st.container(), st.container()
with main:  # first, for it is what a visitor came to see
    lab.view(session.in_view(), "lab")
with st.sidebar:
    wanted = lab.form()
with told:
    lab.notices()
    lab.offer(wanted)
if wanted:
    session.write_url(*wanted)
