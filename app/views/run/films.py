"""The film: what each learner does to one task, step by step, and what it sees."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from app.charts import adaptation
from app.charts.figure_cache import kept
from app.client.client import Run
from app.figures.animation import Shot
from app.figures.boundary_film import film_figure, path_figure
from app.figures.episode import episode_figure
from app.figures.function_adaptation import function_film
from app.figures.theme import learner_name
from app.widgets import panels
from app.widgets.escaping import plain
from engine.contract.blocks import Artefact, Condition

FILMS = {"film": "In place", "film-shifted": "Shifted"}
# How each form is drawn, and how many panels stand in a row: on a desk, on a phone.
FEW_SHOT = {"adaptation": (function_film, 3, 2), "episode": (episode_figure, 2, 1)}
Pair = tuple[go.Figure, go.Figure | None]


def film(run: Run) -> None:
    """Draw the run's films; nothing where its tasks cannot be pictured."""
    names = [name for name in FILMS if run.film(name) is not None]
    if not names:
        return
    with st.container(key="film"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = names[0]
            if len(names) > 1:
                name = st.segmented_control(
                    *("Film", names),
                    format_func=FILMS.get,
                    default=names[0],
                    key="film_name",
                    bind="query-params",
                    required=True,
                )
            made = run.film(str(name))
            if made is None:
                return
            task = _which(made) if "which" in made.info else _task(made)
        _draw(run, made, task)


def insides(run: Run) -> None:
    """Draw what few-shot learners learned to see, and where they adapt."""
    seen = adaptation.embedding(run)
    if seen is not None:
        panels.chart(seen.wide, seen.place, narrow=seen.narrow)
    found = list(adaptation.insides(run))
    if not found:
        return
    for column, both in zip(_columns(len(found)), found, strict=True):
        with column:
            panels.chart(both.wide, both.place, narrow=both.narrow)


def _columns(count: int) -> list[st.delta_generator.DeltaGenerator]:
    rows = [st.columns(2, gap="large") for _ in range((count + 1) // 2)]
    return [column for row in rows for column in row][:count]


def _task(made: Artefact) -> int:
    count = int(made.info.get("tasks", 1))
    if count < 2:
        return 0
    picked = st.segmented_control(
        *("Task", list(range(1, count + 1))),
        default=1,
        key="film_task",
        bind="query-params",
        required=True,
    )
    return min(count, max(1, int(picked or 1))) - 1


def _which(made: Artefact) -> int:
    """Let a person choose the worst, the median or the best test task."""
    words = [str(word) for word in made.info["which"]]
    if len(words) < 2:
        return 0
    picked = st.segmented_control(
        *("Test task", words),
        format_func=str.capitalize,
        default="median" if "median" in words else words[0],
        key="film_which",
        bind="query-params",
        required=True,
    )
    return words.index(str(picked)) if picked in words else 0


def _draw(run: Run, made: Artefact, task: int) -> None:
    name = ("film", run.edition, made.name, task)
    wide, narrow = kept(name, lambda: _figures(run, made, task))
    panels.chart(wide, "film_chart", narrow=narrow)
    if "which" in made.info:
        st.caption(_chosen(run, made))


def _chosen(run: Run, made: Artefact) -> str:
    """Say who chose these tasks, and who could not take them."""
    judged, here = made.info.get("judged"), made.info.get("condition")
    where = "" if judged == here else " in place"
    who = learner_name(str(made.info.get("judge", "")))
    said = f"Worst, median and best of the first replicate, by {who}'s error{where}."
    gone = [learner_name(a) for a in run.roles if a not in made.info.get("answers", {})]
    more = f" Not applicable to {', '.join(gone)}." if gone else ""
    return plain(said + more)


def _figures(run: Run, made: Artefact, task: int) -> Pair:
    form = made.info.get("form")
    if form == "path":
        return path_figure(made, run.roles, task), None
    if form in FEW_SHOT:
        draw, wide, narrow = FEW_SHOT[form]
        shot = Shot(task=task, columns=wide)
        phone = draw(made, run.roles, shot._replace(columns=narrow))
        return draw(made, run.roles, shot), phone
    shot = Shot(task=task, losses=_losses(run, made, task), columns=4)
    phone = film_figure(made, run.roles, shot._replace(columns=2))
    return film_figure(made, run.roles, shot), phone


def _losses(run: Run, made: Artefact, task: int) -> dict[str, np.ndarray] | None:
    """Return each learner's loss on the filmed task: the first replicate's."""
    condition = Condition(**made.info.get("condition", {}))
    steps = np.asarray(made.arrays["frames"], dtype=int)
    found = {
        block.learner: np.asarray(block.array)[0, task][steps]
        for block in run.blocks
        if (block.phase, block.metric) == ("test", "loss")
        and block.condition == condition
        and block.array.shape[1] > task
        and block.array.shape[2] > steps.max()
    }
    return found or None
