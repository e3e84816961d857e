"""Addresses of pages of earlier releases: links to them still open what they name."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app import session

_CLAIMS_VIEWS = frozenset({"Claims board", "Transfer matrix"})  # tabs of Search


def pages() -> list[StreamlitPage]:
    """Return a hidden page for each old address."""
    return [st.Page(_open_search, url_path="search", visibility="hidden")]


def open_run_of_link() -> None:
    """Switch to the Lab if the address names a run or an experiment.

    Up to version 0.4, the app's own address was that of the Lab.
    """
    if names := {n: st.query_params[n] for n in ("run", "x") if n in st.query_params}:
        st.switch_page(session.LAB, query_params=names)


def _open_search() -> None:
    open_run_of_link()
    if st.query_params.get("view") in _CLAIMS_VIEWS:
        st.switch_page("../pages/claims.py")
    session.choose_kind("search")
    session.open_lab()
