"""The page Lab: set up an experiment, run it, and see its verdict."""

import streamlit as st

from app import session, url_sync
from app.views.run import form_and_result, run_page
from app.widgets import live_plot, phone_drawer

live_plot.preload_library()
phone_drawer.close_if_asked()
url_sync.read_url()
session.forget_deleted_run()
top, main = st.container(), st.container()
wanted = run_page.draw_beside_form(
    main, lambda: run_page.draw_run_in_view(session.run_in_view())
)
with top:
    run_page.draw_notices()
    form_and_result.draw_difference(wanted)
if wanted:
    url_sync.write_url(*wanted)
