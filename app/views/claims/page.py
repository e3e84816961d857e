"""The tabs of the page Claims; only the open one is computed."""

import streamlit as st

from app.widgets import page_frame


def draw_tabs() -> None:
    """Draw the board of claims and the transfer matrix."""
    tabs = st.tabs(list(_DRAW), key="view", bind="query-params")
    for draw, tab in zip(_DRAW.values(), tabs, strict=True):
        if tab.open:
            with tab, page_frame.show_errors():
                draw()


# Views are imported when opened, to keep the first paint fast.


def _draw_board() -> None:
    from app.views.claims import board

    board.draw_claims_board()


def _draw_matrix() -> None:
    from app.views.claims import transfer_matrix

    transfer_matrix.draw_transfer_matrix()


_DRAW = {"Claims board": _draw_board, "Transfer matrix": _draw_matrix}
