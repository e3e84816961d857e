"""Search: does what was learned find better architectures, and sooner?"""

import streamlit as st

from app import lab, live_plot, session, views

live_plot.fetch_early()
session.arrive("search")
told, main = st.container(), st.container()
with main:  # first, for it is what a visitor came to see
    views.tabs(session.in_view())
with st.sidebar:
    wanted = lab.form()
with told:
    lab.notices()
    lab.offer(wanted)
if wanted:
    session.write_url(*wanted)
