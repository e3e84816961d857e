"""Live figure: what it costs to claim a wrong spread."""

import numpy as np
import streamlit as st

from app.figures.lessons.claimed_spread import coverage_figure, likelihood_figure
from app.views.learn import claimed_spread
from app.views.learn.lesson import draw_figure

CLAIMS = np.geomspace(0.25, 4.0, 81)
LEVELS = np.linspace(0.05, 0.95, 19)


@st.fragment
def draw_spread() -> None:
    """Draw the claimed spread as a slider, and both measures."""
    claimed = st.select_slider(
        "Claimed spread ÷ true spread",
        [0.25, 0.35, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0, 4.0],
        0.5,
        key="lesson_spread",
        help="Below 1 the learner is too sure, above 1 too careful.",
    )
    nll = float(claimed_spread.expected_nll(np.array([claimed]))[0])
    left, right = st.columns(2, gap="large")
    with left:
        covered = claimed_spread.coverage(claimed, LEVELS)
        draw_figure("coverage", (claimed,), lambda: coverage_figure(LEVELS, covered))
    with right:
        every = claimed_spread.expected_nll(CLAIMS)
        draw_figure(
            "nll",
            (claimed,),
            lambda: likelihood_figure(CLAIMS, every, (claimed, nll)),
        )
    inside = float(claimed_spread.coverage(claimed, np.array([0.9]))[0])
    error = claimed_spread.calibration_error(claimed)
    st.markdown(
        f"Its 90 % intervals hold **{100 * inside:.0f} %** of the targets; the "
        f"expected calibration error is **{error:.2f}**. The mean squared error is the "
        "same for every claim: it does not see the spread."
    )
