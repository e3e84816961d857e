"""Closes the sidebar on a phone, where it covers the page, after Run was pressed."""

import streamlit as st

_ASKED = "close_drawer"
# Streamlit has no call for it. 768 pixels are its own limit, below which the sidebar
# covers the page.
# The demo's web server allows this script by its digest.
CLOSE_SCRIPT = """
if (window.innerWidth <= 768)
  document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
"""


def close_later() -> None:
    """Close it at the next rerun of the page."""
    st.session_state[_ASKED] = True


def close_if_asked() -> None:
    """Close it if that was asked for."""
    if st.session_state.pop(_ASKED, False):
        st.html(f"<script>{CLOSE_SCRIPT}</script>", unsafe_allow_javascript=True)
