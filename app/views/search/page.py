"""The tabs of the page Search: one run from several sides, then all runs together."""

from collections.abc import Callable

import streamlit as st

from app.client.client import Run
from app.views.run import page
from app.widgets import frame, panels


def tabs(key: str | None) -> None:
    """Draw the tabs; only the open one is computed.

    Args:
        key: Of the run in view; none for the recorded example.
    """
    made = st.tabs(list(_DRAWN), key="view", bind="query-params")
    for draw, tab in zip(_DRAWN.values(), made, strict=True):
        if tab.open:
            with tab, frame.guarded():
                draw(key)


# A view is imported when it is opened: the first paint waits for none of them.


def _draw_search(key: str | None) -> None:
    page.view(key, "search")


def _draw_sphere(key: str | None) -> None:
    from app.views.search import sphere

    _draw_of_run(sphere.tab, key)


def _draw_knowledge(key: str | None) -> None:
    from app.views.search import knowledge

    _draw_of_run(knowledge.tab, key)


def _draw_transfer_matrix(_: str | None) -> None:
    from app.views.search import transfer_matrix

    transfer_matrix.page()


def _draw_claims_board(_: str | None) -> None:
    from app.views.search import claims_board

    claims_board.page()


def _draw_of_run(draw: Callable[[Run], None], key: str | None) -> None:
    run = page.shown(key)
    if run is None:
        panels.empty(
            "No search has run yet",
            "Choose a space and a strategy on the left, then press **Run**.",
        )
    else:
        draw(run)


_DRAWN: dict[str, Callable[[str | None], None]] = {
    "Search": _draw_search,
    "Sphere": _draw_sphere,
    "Knowledge": _draw_knowledge,
    "Transfer matrix": _draw_transfer_matrix,
    "Claims board": _draw_claims_board,
}
