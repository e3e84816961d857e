"""The tabs of the page Search: one run from several sides, then all runs together."""

import streamlit as st

from app.client.client import Run
from app.views.run import page
from app.widgets import frame, panels

_NAMES = ("Search", "Sphere", "Knowledge", "Transfer matrix", "Claims board")


def tabs(key: str | None) -> None:
    """Draw the tabs; only the open one is computed.

    Args:
        key: Of the run in view; none for the recorded example.
    """
    made = st.tabs(_NAMES, key="view", bind="query-params")
    for name, tab in zip(_NAMES, made, strict=True):
        if tab.open:
            with tab, frame.guarded():
                _draw(name, key)


def _draw(name: str, key: str | None) -> None:
    # A view is imported when it is opened: the first paint waits for none of them.
    if name == "Search":
        page.view(key, "search")
    elif name == "Transfer matrix":
        from app.views.search import transfer_matrix

        transfer_matrix.page()
    elif name == "Claims board":
        from app.views.search import claims_board

        claims_board.page()
    else:
        _draw_of_run(name, page.shown(key))


def _draw_of_run(name: str, run: Run | None) -> None:
    if run is None:
        panels.empty(
            "No search has run yet",
            "Choose a space and a strategy on the left, then press **Run**.",
        )
    elif name == "Sphere":
        from app.views.search import sphere

        sphere.tab(run)
    else:
        from app.views.search import knowledge

        knowledge.tab(run)
