"""Animations of what each learner does on one task, and charts of its adaptation."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from app.charts import learner_internals
from app.charts.figure_cache import get_or_make
from app.client.client import Run
from app.figures.animation import FilmOptions
from app.figures.episode import episode_figure
from app.figures.function_adaptation import adaptation_figure, filmed_steps
from app.figures.function_beliefs import beliefs_figure, believing_labels
from app.figures.theme import learner_name
from app.figures.training_film import boundary_figure, path_figure
from app.widgets import page_elements
from app.widgets.escaping import escape_markdown
from engine.contract.events import Artefact, Condition

FILMS = {"film": "In distribution", "film-shifted": "Shifted"}
ALONG = {"steps": "Inner steps", "examples": "Examples"}
# How few-shot films are drawn, and panels per row on a wide and on a narrow screen.
FEW_SHOT = {
    "steps": (adaptation_figure, 3, 2),
    "examples": (beliefs_figure, 3, 2),
    "episode": (episode_figure, 2, 1),
}
WideAndNarrow = tuple[go.Figure, go.Figure | None]


def draw_films(run: Run) -> None:
    """Draw the run's films; nothing where its tasks cannot be drawn."""
    names = [name for name in FILMS if run.film(name) is not None]
    if not names:
        return
    with st.container(key="film"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
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
    )
    return words.index(str(picked)) if picked in words else 0


def _choose_form(run: Run, film: Artefact) -> str:
    """Return how a film is drawn; one of functions over inner steps or examples."""
    form = str(film.info.get("form"))
    if form != "adaptation":
        return form
    found = _function_forms(run, film)
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


def _function_forms(run: Run, film: Artefact) -> list[str]:
    """Return along what a film of functions has more than one frame; steps if none."""
    asked = [label for label in run.roles if f"{label}/curve" in film.arrays]
    found = ["steps"] if len(filmed_steps(film, asked)) > 1 else []
    found += ["examples"] if believing_labels(film, run.roles) else []
    return found or ["steps"]


def _draw_film(run: Run, film: Artefact, form: str, task: int) -> None:
    name = ("film", run.cache_key, film.name, form, task)
    wide, narrow = get_or_make(name, lambda: _film_figures(run, film, form, task))
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


def _film_figures(run: Run, film: Artefact, form: str, task: int) -> WideAndNarrow:
    if form == "path":
        return path_figure(film, run.roles, task), None
    if form in FEW_SHOT:
        draw, wide, narrow = FEW_SHOT[form]
        shot = FilmOptions(task=task, columns=wide, spreads=_constant_spreads(run))
        phone = draw(film, run.roles, shot._replace(columns=narrow))
        return draw(film, run.roles, shot), phone
    shot = FilmOptions(task=task, losses=_task_losses(run, film, task), columns=4)
    phone = boundary_figure(film, run.roles, shot._replace(columns=2))
    return boundary_figure(film, run.roles, shot), phone


def _constant_spreads(run: Run) -> dict[str, float]:
    """Return the spread of learners without a density, in the filmed replicate."""
    found = {
        label: run.table.block(label, "validate", "residual_variance")
        for label in run.roles
    }
    return {
        label: float(np.sqrt(np.asarray(block.array).flat[0]))
        for label, block in found.items()
        if block is not None
    }


def _task_losses(run: Run, film: Artefact, task: int) -> dict[str, np.ndarray] | None:
    """Return each learner's loss on the filmed task: the first replicate's."""
    condition = Condition(**film.info.get("condition", {}))
    steps = np.asarray(film.arrays["frames"], dtype=int)
    found = {
        block.learner: np.asarray(block.array)[0, task][steps]
        for block in run.blocks
        if (block.phase, block.metric) == ("test", "loss")
        and block.condition == condition
        and block.array.shape[1] > task
        and block.array.shape[2] > steps.max()
    }
    return found or None
