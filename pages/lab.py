"""The page Lab: set up an experiment, run it, and see its verdict."""

import streamlit as st

from app import session, url_sync
from app.views.run import embedded_figure, form_and_result, run_page
from app.widgets import live_plot, page_frame, phone_drawer


def draw_lab() -> None:
    """Draw form and result, and keep the address in step with them."""
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


live_plot.preload_library()
if page_frame.is_figure_alone():
    embedded_figure.draw_embedded()
else:
    draw_lab()
