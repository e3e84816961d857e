"""A short lesson: texts, each with buttons that open the experiments which show it."""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from app.client import client
from app.client.catalogue import Preset
from app.views.shipped_experiments import open_in_lab
from app.widgets import page_elements
from app.widgets.escaping import escape_markdown


class LessonStep(NamedTuple):
    """A step of a lesson.

    Args:
        title: Its heading.
        text: What it says, as Markdown.
        shown: Names of the shipped experiments that show it.
        draw: Draws what belongs under the text, such as something to try.
    """

    title: str
    text: str
    shown: tuple[str, ...]
    draw: Callable[[], None] | None = None


class Lesson(NamedTuple):
    """A lesson.

    Args:
        title: Its heading.
        label: Its name among the sections of the page.
        steps: In order.
    """

    title: str
    label: str
    steps: tuple[LessonStep, ...]


def draw_lesson(lesson: Lesson) -> None:
    """Draw a lesson; each step has buttons that open its experiments."""
    st.header(lesson.title, anchor=False)
    known = {preset.name: preset for preset in client.catalogue().presets}
    for number, step in enumerate(lesson.steps):
        page_elements.draw_heading(step.title)
        st.markdown(step.text)
        if step.draw is not None:
            step.draw()
        with st.container(horizontal=True):
            for name in step.shown:
                if name in known:
                    _draw_experiment_button(known[name], number)


def _draw_experiment_button(preset: Preset, step: int) -> None:
    if st.button(
        escape_markdown(preset.title),
        icon=":material/science:",
        key=f"lesson.{step}.{preset.name}",
        type="tertiary",
        help=escape_markdown(preset.summary),
    ):
        open_in_lab(preset)
