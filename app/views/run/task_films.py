"""The film of what each learner does on one task, and charts of its adaptation."""

import streamlit as st

from app.charts import learner_internals, task_films
from app.charts.chart_options import FILMS
from app.charts.figure_cache import get_or_make
from app.client.client import Run
from app.figures.theme import learner_name
from app.widgets import page_elements
from app.widgets.escaping import escape_markdown
from engine.contract.events import Artefact

ALONG = {"steps": "Inner steps", "examples": "Examples"}


def draw_film(run: Run) -> None:
    """Draw a film of the run; nothing where its tasks cannot be drawn."""
    names = [name for name in FILMS if name in run.film_names]
    if not names:
        return
    with st.container(key="film"):
        with st.container(
            horizontal=True, vertical_alignment="bottom", key="film_tools"
        ):
            made = choose_film(run, names)
            if made is None:
                return
            task = (
                _choose_test_task(made)
                if "which" in made.info
                else choose_number("Task", int(made.info.get("tasks", 1)))
            )
            form = _choose_form(run, made)
        _draw_film(run, made, form, task)


def draw_insides(run: Run) -> None:
    """Draw the embeddings of few-shot learners, and which layers adapt."""
    seen = learner_internals.embedding_chart(run)
    if seen is not None:
        page_elements.draw_chart(seen.wide, seen.name, narrow=seen.narrow)
    for both in learner_internals.map_charts(run):
        page_elements.draw_chart(both.wide, both.name, narrow=both.narrow)
    found = list(learner_internals.inside_charts(run))
    if not found:
        return
    for column, both in zip(_columns(len(found)), found, strict=True):
        with column:
            page_elements.draw_chart(both.wide, both.name, narrow=both.narrow)


def _columns(count: int) -> list[st.delta_generator.DeltaGenerator]:
    rows = [st.columns(2, gap="large") for _ in range((count + 1) // 2)]
    return [column for row in rows for column in row][:count]


def choose_film(run: Run, names: list[str]) -> Artefact | None:
    """Let the user choose one of a run's films, where there are several.

    Args:
        run: The run.
        names: Names of its films, at least one.
    """
    name = names[0]
    if len(names) > 1:
        name = st.segmented_control(
            "Film",
            names,
            format_func=FILMS.get,
            default=names[0],
            key="film_name",
            bind="query-params",
            required=True,
            label_visibility="collapsed",
        )
    return run.film(str(name))


def choose_number(word: str, count: int) -> int:
    """Let the user choose a filmed task by its number; return it, from 0.

    Args:
        word: What is chosen, such as "Task".
        count: How many there are.
    """
    if count < 2:
        return 0
    picked = st.segmented_control(
        word,
        list(range(1, count + 1)),
        default=1,
        key="film_task",
        bind="query-params",
        required=True,
    )
    # A link may name a task that this film does not have.
    return min(count, max(1, int(picked or 1))) - 1


def _choose_test_task(film: Artefact) -> int:
    """Let the user choose the worst, the median or the best test task."""
    words = [str(word) for word in film.info["which"]]
    if len(words) < 2:
        return 0
    picked = st.segmented_control(
        "Test task",
        words,
        format_func=str.capitalize,
        default="median" if "median" in words else words[0],
        key="film_which",
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
    return words.index(str(picked)) if picked in words else 0


def _choose_form(run: Run, film: Artefact) -> str:
    """Return how a film is drawn; one of functions over inner steps or examples."""
    form = str(film.info.get("form"))
    if form != "adaptation":
        return form
    found = task_films.function_forms(run, film)
    if len(found) < 2:
        return found[0]
    picked = st.segmented_control(
        "Over",
        found,
        format_func=ALONG.get,
        default=found[0],
        key="film_over",
        bind="query-params",
        required=True,
        help="What a learner answers after each inner step on the whole support, or "
        "on only its first examples.",
    )
    return str(picked) if picked in found else found[0]


def _draw_film(run: Run, film: Artefact, form: str, task: int) -> None:
    name = ("film", run.cache_key, film.name, form, task)
    wide, narrow = get_or_make(
        name, lambda: task_films.film_figures(run, film, form, task)
    )
    page_elements.draw_chart(wide, "film_chart", narrow=narrow)
    if "which" in film.info:
        st.caption(_describe_choice(run, film))


def _describe_choice(run: Run, film: Artefact) -> str:
    """Describe how these tasks were chosen, and which learners they do not fit."""
    judged, here = film.info.get("judged"), film.info.get("condition")
    where = "" if judged == here else " in distribution"
    who = learner_name(str(film.info.get("judge", "")))
    said = f"Worst, median and best of the first replicate, by {who}'s error{where}."
    gone = [learner_name(a) for a in run.roles if a not in film.info.get("answers", {})]
    more = f" Not applicable to {', '.join(gone)}." if gone else ""
    return escape_markdown(said + more)
