"""Live figure: the recorded MAML adapts to a curve that the user chooses."""

import numpy as np
import streamlit as st

from app.client import recorded_examples
from app.figures.figure_types import Floats
from app.figures.lessons.sine_fit import Fit, fit_figure
from app.views.learn import sine_net
from app.views.learn.lesson import draw_figure
from app.views.learn.sine_net import Net
from app.widgets.glossary import help_of
from engine.contract.kinds import FEW_SHOT

LEARNER, START = "maml", "from_scratch"  # labels in the recorded run
RATE = 0.01


@st.fragment
def draw_adaptation() -> None:
    """Draw the curve and the learner as sliders, and what it makes of them."""
    nets = _recorded_nets()
    if nets is None:
        st.caption("The recorded run that this figure needs is missing here.")
        return
    first, second = st.columns(2, gap="large")
    steps = first.slider(
        "Gradient steps", 0, 20, 1, key="sine_steps", help=help_of("inner step")
    )
    examples = second.slider(
        "Examples in the support",
        1,
        20,
        10,
        key="sine_examples",
        help=help_of("support"),
    )
    amplitude = first.slider(
        "Amplitude",
        0.0,
        10.0,
        3.0,
        0.5,
        key="sine_amplitude",
        help="Meta-training had amplitudes from 0.1 to 5: more is a shift.",
    )
    phase = second.slider(
        "Phase", 0.0, 3.1, 1.0, 0.1, key="sine_phase", help="Moves the curve sideways."
    )
    curve = (amplitude, phase)
    draw_figure(
        "sine",
        (*curve, examples, steps),
        lambda: fit_figure(make_fit(nets, curve, examples, steps), steps),
    )
    if amplitude > 5:
        st.caption(
            "This amplitude is out of distribution: no such curve was trained on."
        )


def make_fit(
    nets: tuple[Net, Net], curve: tuple[float, float], examples: int, steps: int
) -> Fit:
    """Return how two nets adapt to a curve.

    Args:
        nets: The meta-learned one and one with random weights.
        curve: Amplitude and phase.
        examples: Points of the support; the first ones stay where they are.
        steps: Gradient steps.
    """
    x: Floats = np.linspace(-sine_net.SPAN, sine_net.SPAN, 101)
    random = np.random.default_rng(3)
    given = random.uniform(-sine_net.SPAN, sine_net.SPAN, 20)[:examples]
    targets = sine_net.sine(*curve, given)
    learned, scratch = (
        sine_net.answer(sine_net.adapt(net, given, targets, RATE, steps), x)
        for net in nets
    )
    return Fit(
        x=x,
        truth=sine_net.sine(*curve, x),
        before=sine_net.answer(nets[0], x),
        adapted=learned,
        scratch=scratch,
        support=np.stack([given, targets]),
    )


def _recorded_nets() -> tuple[Net, Net] | None:
    """Return the recorded meta-learned weights and the random ones."""
    run = recorded_examples.recorded_run(FEW_SHOT.name)
    found = [run and run.frozen_weights(label) for label in (LEARNER, START)]
    if not found[0] or not found[1]:
        return None
    return sine_net.first_net(found[0].arrays), sine_net.first_net(found[1].arrays)
