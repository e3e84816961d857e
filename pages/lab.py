"""Lab: does what was learned help here, and how sure are we?"""

import streamlit as st

from app import session
from app.views.run import run_page
from app.widgets import live_plot

live_plot.preload_library()
session.read_url("lab")
told, main = st.container(), st.container()
with main:  # first, for it is what a visitor came to see
    run_page.draw_run_in_view(session.run_in_view(), "lab")
with st.sidebar:
    wanted = run_page.draw_run_form()
with told:
    run_page.draw_notices()
    run_page.draw_link_notice(wanted)
if wanted:
    session.write_url(*wanted)
