"""The page Lab: set up an experiment, run it, and see its verdict."""

import streamlit as st

from app import session
from app.views.run import run_page
from app.widgets import live_plot

live_plot.preload_library()
session.read_url()
top, main = st.container(), st.container()
wanted = run_page.draw_beside_form(
    main, lambda: run_page.draw_run_in_view(session.run_in_view())
)
with top:
    run_page.draw_notices()
    run_page.draw_link_notice(wanted)
if wanted:
    session.write_url(*wanted)
