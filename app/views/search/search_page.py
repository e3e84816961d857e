"""The tabs of the page Search: the run in view, then comparisons of all runs."""

from collections.abc import Callable

import streamlit as st

from app.client.client import Run
from app.views.run import run_page
from app.widgets import page_frame


def draw_search_tabs(key: str | None) -> None:
    """Draw the tabs; only the open one is computed.

    Args:
        key: Key of the run in view; None for the recorded example.
    """
    made = st.tabs(list(_DRAW_TAB), key="view", bind="query-params")
    for draw, tab in zip(_DRAW_TAB.values(), made, strict=True):
        if tab.open:
            with tab, page_frame.show_errors():
                draw(key)


# Views are imported when opened, to keep the first paint fast.


def _draw_search(key: str | None) -> None:
    run_page.draw_run_in_view(key, "search")


def _draw_sphere(key: str | None) -> None:
    from app.views.search import sphere

    _draw_run_tab(sphere.draw_sphere, key)


def _draw_knowledge(key: str | None) -> None:
    from app.views.search import knowledge

    _draw_run_tab(knowledge.draw_knowledge, key)


def _draw_transfer_matrix(_: str | None) -> None:
    from app.views.search import transfer_matrix

    transfer_matrix.draw_transfer_matrix()


def _draw_claims_board(_: str | None) -> None:
    from app.views.search import claims_board

    claims_board.draw_claims_board()


def _draw_run_tab(draw: Callable[[Run], None], key: str | None) -> None:
    run = run_page.run_to_show(key)
    if run is None:
        run_page.draw_no_run(
            "No search has run yet",
            "Choose a space and a strategy on the left, then press **Run**.",
        )
    else:
        draw(run)


_DRAW_TAB: dict[str, Callable[[str | None], None]] = {
    "Search": _draw_search,
    "Sphere": _draw_sphere,
    "Knowledge": _draw_knowledge,
    "Transfer matrix": _draw_transfer_matrix,
    "Claims board": _draw_claims_board,
}
