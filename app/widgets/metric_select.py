"""The select box for a metric, the same on every page."""

from collections.abc import Callable, Sequence

import streamlit as st

from engine.contract.metrics import METRICS


def metric_select(
    names: Sequence[str],
    key: str,
    *,
    width: int = 240,
    metric_of: Callable[[str], str] = str,
) -> str:
    """Let the user choose a metric by its label; the link keeps the choice.

    Args:
        names: What can be chosen, as `METRICS` names it; at least one.
        key: Where the session and the link keep the choice.
        width: Width of the box in pixels.
        metric_of: The metric behind a name where the two differ, as for means.

    Returns:
        The chosen name.
    """
    return st.selectbox(
        "Metric",
        names,
        format_func=lambda name: METRICS[metric_of(name)].label,
        key=key,
        bind="query-params",
        width=width,
    )
