"""A short lesson on architecture search: what it is, and which experiment shows it."""

from typing import NamedTuple

import streamlit as st

from app import session
from app.client import client
from app.client.catalogue import Preset
from app.widgets import panels
from app.widgets.escaping import escape_markdown
from engine.contract.errors import Refused

TITLE = "Searching for architectures"


class LessonStep(NamedTuple):
    """A thought, and the shipped experiments that show it."""

    title: str
    text: str
    shown: tuple[str, ...]


STEPS = (
    LessonStep(
        "A search asks, and is told",
        "A **space** is a list of decisions with a few options each; an architecture "
        "takes one option of every decision. An **evaluator** trains it, or looks up "
        "in a table what its training gave. A search sees validation accuracy, often "
        "of a short training; it is judged by test accuracy, which it never sees.",
        ("search_smoke", "live_nets"),
    ),
    LessonStep(
        "How good is a search?",
        "**Regret** is how far its best architecture so far is from the best there "
        "is. **Evaluations to the goal** count what it trained until it was among the "
        "best 1 %; a search that never got there is counted as still waiting. One "
        "search says little: what differs between strategies is read off dozens, with "
        "an interval.",
        ("nasbench201_published",),
    ),
    LessonStep(
        "Strategies without experience",
        "**Random search** needs no idea and is hard to beat by much. **Evolution** "
        "changes one decision of a good architecture. A **policy gradient** keeps a "
        "probability for every option and moves it toward what did better than "
        "expected; its entropy says how sure it has become.",
        ("policy_gradients", "short_trainings"),
    ),
    LessonStep(
        "What can be carried over",
        "Good architectures of other tasks can begin a search; a policy, a value "
        "function or a predictor can be trained on them beforehand. The trainings of "
        "the source count: experience pays back only after enough new tasks. Where the "
        "source says nothing of the target it can also **harm**.",
        ("search", "carried_policy"),
    ),
    LessonStep(
        "Is it really the knowledge?",
        "The control starts from the same source with its accuracies **shuffled**. A "
        "gain that survives this came from something else. And a gain in one space, "
        "at one noise, under one objective may be gone in the next: change them.",
        ("shuffled_source", "noisy_evaluations", "objective_switch"),
    ),
)


def draw_lesson() -> None:
    """Draw the lesson; each thought leads to an experiment."""
    st.header(TITLE, anchor=False)
    known = {preset.name: preset for preset in client.catalogue().presets}
    for step in STEPS:
        panels.draw_heading(step.title)
        st.markdown(step.text)
        with st.container(horizontal=True):
            for name in step.shown:
                if name in known:
                    _draw_experiment_button(known[name])


def _draw_experiment_button(preset: Preset) -> None:
    if not st.button(
        escape_markdown(preset.title),
        icon=":material/science:",
        key=f"lesson.{preset.name}",
        type="tertiary",
        help=escape_markdown(preset.summary),
    ):
        return
    try:
        session.load_spec(preset.spec)
    except Refused as refusal:
        panels.draw_refusal(refusal.message)
        return
    session.show_run(None)
    session.go_to_page(session.form_kind())
