"""Addresses of pages of earlier releases: links to them still open what they name."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app import session
from app.client import client
from engine.contract.jobs import JobState

_CLAIMS_VIEWS = frozenset({"Claims board", "Transfer matrix"})  # tabs of Search
# Up to version 0.4 each section of a run was a tab: now tab, key of its section, title.
OLD_TABS = {
    "Claims": ("Evidence", "evidence", "Claims"),
    "Per task": ("Evidence", "evidence", "Per task"),
    "Table": ("Evidence", "evidence", "Table"),
    "Published": ("Evidence", "evidence", "Published"),
    "Shifts": ("Robustness", "robustness", "Shifts"),
    "Diagnosis": ("Training", "training", "Diagnosis"),
    "Cost": ("Training", "training", "Cost"),
}
# Tabs of the page Transfer, and the section that each has become.
_TRANSFER = {
    "Severity": "Shifts",
    "Families": "Other families",
    "Start from a frozen learner": "Use this learner",
}


def pages() -> list[StreamlitPage]:
    """Return a hidden page for each old address."""
    return [
        st.Page(_open_search, url_path="search", visibility="hidden"),
        st.Page(_open_transfer, url_path="transfer", visibility="hidden"),
    ]


def open_run_of_link() -> None:
    """Switch to the Lab if the address names a run or an experiment.

    Up to version 0.4, the app's own address was that of the Lab.
    """
    if names := {
        n: st.query_params[n] for n in ("run", "share", "x") if n in st.query_params
    }:
        st.switch_page(session.LAB, query_params=names)


def _open_search() -> None:
    open_run_of_link()
    if st.query_params.get("view") in _CLAIMS_VIEWS:
        st.switch_page("../pages/claims.py")
    session.choose_kind("search")
    session.open_lab()


def _open_transfer() -> None:
    open_run_of_link()
    shown = robustness_of_newest(st.query_params.get("transfer", ""))
    st.switch_page(session.LAB, query_params=shown)


def robustness_of_newest(tab: str) -> dict[str, str]:
    """Return the address of the tab Robustness of the newest finished run.

    Without a run, it is that of the recorded example.

    Args:
        tab: A tab of the page Transfer; empty for its first.
    """
    finished, _ = client.jobs((JobState.DONE,), "", (1, 0))
    run = {"run": finished[0].key} if finished else {}
    section = _TRANSFER.get(tab, "Shifts")
    return run | {"tab": "Robustness", "robustness": section}
