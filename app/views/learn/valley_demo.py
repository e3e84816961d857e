"""Live figures: one descent in a valley, and step sizes that are meta-learned."""

import numpy as np
import streamlit as st

from app.figures.figure_types import Floats
from app.figures.lessons import valley as figures
from app.views.learn.lesson import draw_figure
from app.views.learn.valley import (
    Valleys,
    descend,
    learn_rates,
    losses,
    mean_losses,
    tune_rate,
)
from app.widgets.glossary import help_of

STEPS, LEARNED_STEPS = 20, 8
TRAINED_ON, TESTED_ON = 64, 500  # valleys
MOST_META_STEPS = 200


@st.fragment
def draw_descent() -> None:
    """Draw the step size and the valley as sliders, and where SGD goes."""
    left, right = st.columns(2, gap="large")
    rate = left.slider(
        "Step size",
        0.05,
        2.2,
        0.3,
        0.05,
        key="valley_rate",
        help="How far each step goes along the negative gradient.",
    )
    ratio = right.slider(
        "Curvature ratio",
        1,
        30,
        8,
        key="valley_ratio",
        help="How much steeper the valley is across than along.",
    )
    one = Valleys(np.array([[1.0 / ratio, 1.0]]), np.array([[-2.5, 1.0]]))
    path = descend(one, np.full(STEPS, rate))
    with left:
        draw_figure(
            "path",
            (rate, ratio),
            lambda: figures.path_figure(one.curvature[0], path[0]),
        )
    with right:
        draw_figure(
            "loss", (rate, ratio), lambda: figures.loss_figure(losses(one, path)[0])
        )
    st.markdown(_explain(rate, ratio))


def _explain(rate: float, ratio: float) -> str:
    """Describe what a step does in a valley.

    Args:
        rate: The step size.
        ratio: How much steeper the valley is across, where its curvature is 1.
    """
    across, along = 1 - rate, 1 - rate / ratio
    if rate > 2:
        return (
            "Across the valley each step multiplies the distance by "
            f"**{across:.2f}**: it grows, so the descent **diverges**. The limit is "
            "2 ÷ the steepest curvature, here 2."
        )
    return (
        "Across the valley each step multiplies the distance to the bottom by "
        f"**{across:.2f}**, along it by **{along:.2f}**. The one farther from 0 "
        "decides how long it takes; in a narrow valley no constant step size makes "
        "both small."
    )


@st.fragment
def draw_learned_rates() -> None:
    """Draw the meta-training as a slider, its step sizes and its test."""
    left, right = st.columns(2, gap="large")
    meta_steps = left.slider(
        "Meta-steps",
        0,
        MOST_META_STEPS,
        100,
        5,
        key="valley_meta_steps",
        help=f"{help_of('meta-step')} Here each is from all {TRAINED_ON} valleys.",
    )
    stretch = right.slider(
        "Stretch of the new valleys",
        0.25,
        2.0,
        1.0,
        0.25,
        key="valley_stretch",
        help="Factor on their curvatures. 1 is in distribution, anything else a shift.",
    )
    history, tuned = _meta_train()
    learned = history[meta_steps]
    new = Valleys.draw(np.random.default_rng(1), TESTED_ON, stretch)
    ours = mean_losses(new, learned)
    rival = mean_losses(new, np.full(LEARNED_STEPS, tuned))
    with left:
        draw_figure(
            "step_sizes",
            (meta_steps,),
            lambda: figures.step_size_figure(learned, tuned),
        )
    with right:
        draw_figure(
            "new_valleys",
            (meta_steps, stretch),
            lambda: figures.learned_loss_figure(ours, rival),
        )
    st.markdown(_compare(float(ours[-1] / rival[-1]), stretch))


@st.cache_data(show_spinner=False)
def _meta_train() -> tuple[Floats, float]:
    """Return the step sizes by meta-step, and the tuned constant one."""
    valleys = Valleys.draw(np.random.default_rng(0), TRAINED_ON)
    return (
        learn_rates(valleys, LEARNED_STEPS, MOST_META_STEPS),
        tune_rate(valleys, LEARNED_STEPS),
    )


def _compare(ratio: float, stretch: float) -> str:
    """Describe the test in one sentence.

    Args:
        ratio: Last loss with the learned step sizes, divided by the rival's.
        stretch: Stretch of the valleys that were tested.
    """
    where = "in distribution" if stretch == 1 else f"stretched by {stretch:g}"
    if ratio < 1:
        return (
            f"On new valleys {where}, the loss of the learned step sizes ends "
            f"**{1 / ratio:.3g} times lower** than that of the best constant one."
        )
    return (
        f"On new valleys {where}, the loss of the learned step sizes ends "
        f"**{ratio:.3g} times higher** than that of the best constant one."
    )
