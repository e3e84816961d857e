"""Search: does what was learned find better architectures, and sooner?"""

import streamlit as st

from app import session
from app.views.run import run_page
from app.views.search import search_page
from app.widgets import live_plot

live_plot.preload_library()
session.read_url("search")
told, main = st.container(), st.container()
with main:  # first, for it is what a visitor came to see
    search_page.draw_search_tabs(session.run_in_view())
with st.sidebar:
    wanted = run_page.draw_run_form()
with told:
    run_page.draw_notices()
    run_page.draw_link_notice(wanted)
if wanted:
    session.write_url(*wanted)
