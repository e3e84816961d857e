"""The script of every page: navigation, page frame, and start of the engine."""

import streamlit as st

from app.widgets import missing_package_notice

try:
    from app import old_addresses, url_checks, visitors
    from app.widgets import demo_notice, page_frame, sign_in
except ModuleNotFoundError as error:
    missing_package_notice.show_notice(error)
    st.stop()
visitors.serve_visitors()
page_frame.set_up_page()
page = st.navigation(
    [
        st.Page("../pages/start.py", title="Start", url_path="start", default=True),
        st.Page("../pages/lab.py", title="Lab", url_path="lab"),
        st.Page("../pages/runs.py", title="Runs", url_path="runs"),
        st.Page("../pages/claims.py", title="Claims", url_path="claims"),
        st.Page("../pages/learn.py", title="Learn", url_path="learn"),
        st.Page(
            "../pages/compare.py",
            title="Compare",
            url_path="compare",
            visibility="hidden",
        ),
        *old_addresses.pages(),
    ],
    position="hidden" if page_frame.is_figure_alone() else "top",
)
st.session_state[page_frame.PAGE] = page.url_path
url_checks.check_parameters(page.url_path)
notices = st.container()
with page_frame.show_errors():
    page_frame.prepare_engine()
    sign_in.draw_move()
    page.run()
if not page_frame.is_figure_alone():
    demo_notice.draw_notice()
url_checks.report_unusable()
with notices:
    url_checks.draw_notices()
