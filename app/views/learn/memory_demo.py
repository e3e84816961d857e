"""Live figure: what a perfect memory believes after each example."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from app.figures.figure_types import Floats
from app.figures.lessons.belief import belief_figure
from app.views.learn.lesson import draw_figure
from app.views.learn.smooth_functions import TRUE_SCALE, believe, draw_function

X: Floats = np.linspace(-4.0, 4.0, 121)
MOST = 12  # examples


@st.fragment
def draw_memory() -> None:
    """Draw the examples and the belief about smoothness as sliders."""
    left, right = st.columns(2, gap="small")
    count = left.slider(
        "Examples seen",
        0,
        MOST,
        3,
        key="memory_examples",
        help="In the order in which they come.",
    )
    scale = right.slider(
        "Believed length scale",
        0.2,
        3.0,
        TRUE_SCALE,
        0.1,
        key="memory_scale",
        help="How smooth the functions are believed to be; they were drawn with 1. "
        "Meta-training learns it from many functions.",
    )
    draw_figure("memory", (count, scale), lambda: _make_belief(count, scale))


def _make_belief(count: int, scale: float) -> go.Figure:
    truth = draw_function(X, seed=4)
    seen = np.random.default_rng(5).permutation(len(X))[:count]
    given = np.stack([X[seen], truth[seen]])
    return belief_figure(X, truth, given, believe(X, given, scale))
