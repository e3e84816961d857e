"""The film: what each learner does to one task, step by step."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from app import panels
from app.door import Run
from app.figures.adaptation import Shot, film_figure, path_figure
from app.kept import kept
from engine.contract.blocks import Artefact, Condition

FILMS = {"film": "In place", "film-shifted": "Shifted"}


def film(run: Run) -> None:
    """Draw the run's films; nothing where its tasks are not in the plane."""
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
            task = _task(made)
        _draw(run, made, task)


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


def _draw(run: Run, made: Artefact, task: int) -> None:
    name = ("film", run.edition, made.name, task)
    wide, narrow = kept(name, lambda: _figures(run, made, task))
    panels.chart(wide, "film_chart", narrow=narrow)


def _figures(run: Run, made: Artefact, task: int) -> tuple[go.Figure, go.Figure | None]:
    if made.info.get("form") == "path":
        return path_figure(made, run.roles, task), None
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
