"""Search: does what was learned find better architectures, and sooner?"""

import streamlit as st

from app import session
from app.views.run import page
from app.views.search import page as search_page
from app.widgets import live_plot

live_plot.fetch_early()
session.arrive("search")
told, main = st.container(), st.container()
with main:  # first, for it is what a visitor came to see
    search_page.tabs(session.in_view())
with st.sidebar:
    wanted = page.form()
with told:
    page.notices()
    page.offer(wanted)
if wanted:
    session.write_url(*wanted)
