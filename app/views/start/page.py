"""The first page: what the lab is for, its questions, and the shipped experiments."""

import streamlit as st

from app import session
from app.charts.figure_cache import get_or_make
from app.client import recorded_examples
from app.figures.theme import learner_name
from app.views.start import film, gallery, open_link
from app.widgets import page_elements
from app.widgets.escaping import escape_html
from app.widgets.svg_picture import Ink, Picture, ink_of, picture_html
from engine.contract import kinds

TITLE = "Does learning to learn pay off?"
PURPOSE = (
    "Train a method on many small tasks, test it on new ones beside a well-tuned "
    "rival, and get an honest call: **better**, **worse**, **equal** or "
    "**can't tell yet**."
)
FILMED = kinds.FEW_SHOT.name
_PLAYED = "film_played"  # how often the film was played again


def draw_start() -> None:
    """Draw the page; all but the gallery is there without the catalogue."""
    ink = ink_of(st.context.theme.type)
    st.title(TITLE, anchor=False)
    st.markdown(PURPOSE)
    _draw_film(ink)
    _draw_questions(ink)
    gallery.draw_gallery(ink)
    open_link.draw_open()


@st.fragment
def _draw_film(ink: Ink) -> None:
    """Draw the film; it plays once by itself, and again on request."""
    panels = _film_panels(ink)
    if not panels:
        return
    times = st.session_state.get(_PLAYED, 0)
    # Another address of the same picture makes the browser play it again.
    shown = "".join(
        f"<figure><figcaption>{escape_html(name)}</figcaption>"
        f"{picture_html(_again(picture, times), 'start-film')}</figure>"
        for name, picture in panels.items()
    )
    st.html(f'<div class="start-films">{shown}</div>')
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "Recorded: the dots are all that a learner sees of a new function (gray). "
            "MAML takes its gradient steps from weights that were trained on many such "
            "functions."
        )
        if st.button("Play again", icon=":material/replay:", key="play_again"):
            st.session_state[_PLAYED] = times + 1
            st.rerun(scope="fragment")


def _again(picture: Picture, times: int) -> Picture:
    return picture._replace(svg=f"{picture.svg}<!-- {times} -->")


def _film_panels(ink: Ink) -> dict[str, Picture]:
    """Return the film of the recorded example by the learners' names."""
    run = recorded_examples.recorded_run(FILMED)
    held = None if run is None else run.film("film")
    if run is None or held is None or held.info.get("form") != "adaptation":
        return {}
    named = list(held.info.get("which", ()))
    task = named.index("median") if "median" in named else 0
    made = get_or_make(
        ("start film", run.cache_key, ink),
        lambda: film.adaptation_film(held, run.roles, task, ink),
    )
    return {learner_name(label): picture for label, picture in made.items()}


def _draw_questions(ink: Ink) -> None:
    """Draw a card for each kind of question, with the answer of its recorded run."""
    page_elements.draw_heading(
        "Ask a question", "Each opens the Lab; the answer here is that of a short run."
    )
    every = list(kinds.KINDS.values())
    for first in range(0, len(every), 2):
        for column, kind in zip(
            st.columns(2, gap="small"), every[first:], strict=False
        ):
            with column:
                _draw_question(kind, ink)


def _draw_question(kind: kinds.Kind, ink: Ink) -> None:
    answer = gallery.recorded_answer(kind)
    picture = gallery.recorded_curves(kind.name, ink)
    said = gallery.answer_html(answer, "recorded example") if answer else ""
    with st.container(border=True, height="stretch", key=f"kind.{kind.name}"):
        st.html(
            f"{picture_html(picture, 'start-thumbnail')}"
            f'<p class="eyebrow">{escape_html(kind.title)}</p>'
            f'<h3 class="card-title">{escape_html(kind.words.question)}</h3>{said}'
        )
        if st.button(
            "Open in the Lab",
            icon=":material/science:",
            key=f"open.{kind.name}",
            help=f"Set up an experiment with {kind.words.tasks}.",
        ):
            session.choose_kind(kind.name)
            session.open_lab()
