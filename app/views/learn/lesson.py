"""A short lesson: texts with something to try, and experiments that show it."""

from collections.abc import Callable, Hashable
from typing import NamedTuple

import plotly.graph_objects as go
import streamlit as st

from app.charts.figure_cache import get_or_make
from app.client import client
from app.client.catalogue import Preset
from app.views.shipped_experiments import open_in_lab
from app.widgets import page_elements
from app.widgets.escaping import escape_markdown
from app.widgets.glossary import mark_terms_of_markdown


class LessonStep(NamedTuple):
    """A step of a lesson.

    Args:
        title: Its heading.
        text: What it says; words may be **bold** or *italic*.
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
        label: Its name among the lessons.
        steps: In order.
    """

    title: str
    label: str
    steps: tuple[LessonStep, ...]

    @property
    def text(self) -> str:
        """Return all that it says, for searching."""
        return " ".join(f"{step.title} {step.text}" for step in self.steps)


def draw_figure(
    name: str, given: tuple[Hashable, ...], make: Callable[[], go.Figure]
) -> None:
    """Draw a lesson's figure; it is made once for all who set the same.

    Args:
        name: Its stable name.
        given: All that it depends on.
        make: Makes it.
    """
    figure = get_or_make(("lesson", name, *given), make)
    page_elements.draw_chart(figure, f"lesson.{name}")


def draw_lesson(lesson: Lesson) -> None:
    """Draw a lesson; each step has buttons that open its experiments."""
    st.header(lesson.title, anchor=False)
    for number, step in enumerate(lesson.steps):
        page_elements.draw_heading(step.title)
        st.html(f'<p class="lesson-text">{mark_terms_of_markdown(step.text)}</p>')
        if step.draw is not None:
            step.draw()
        if step.shown:
            _draw_experiments(step, number)


def _draw_experiments(step: LessonStep, number: int) -> None:
    """Draw a button for each experiment, once the catalogue is there."""
    if not client.is_catalogue_ready():
        return
    known = {preset.name: preset for preset in client.catalogue().presets}
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
