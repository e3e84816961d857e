"""The tabs of the page Search: one run from several sides, then all runs together."""

import importlib
from collections.abc import Callable

import streamlit as st

from app import frame, lab, panels

# Which module draws a tab, and whether it looks at the run in view.
_OF_RUN = {"Sphere": "sphere", "Knowledge": "knowledge"}
_OF_ALL = {"Transfer matrix": "matrix", "Claims board": "board"}


def tabs(key: str | None) -> None:
    """Draw the tabs; only the open one is computed.

    Args:
        key: Of the run in view; none for the recorded example.
    """
    names = ["Search", *_OF_RUN, *_OF_ALL]
    made = dict(
        zip(names, st.tabs(names, key="view", bind="query-params"), strict=True)
    )
    for name, tab in made.items():
        if tab.open:
            with tab, frame.guarded():
                _draw(name, key)


def _draw(name: str, key: str | None) -> None:
    if name == "Search":
        lab.view(key, "search")
    elif name in _OF_ALL:
        _drawer(_OF_ALL[name], "page")()
    else:
        run = lab.shown(key)
        if run is None:
            panels.empty(
                "No search has run yet",
                "Choose a space and a strategy on the left, then press **Run**.",
            )
        else:
            _drawer(_OF_RUN[name], "tab")(run)


def _drawer(module: str, name: str) -> Callable[..., None]:
    try:
        drawn: Callable[..., None] = getattr(
            importlib.import_module(f"app.{module}"), name
        )
    except ModuleNotFoundError:
        return lambda *_: st.caption("This view is not part of this version.")
    return drawn
