"""Films of what each learner does on one task: pure functions from a run to figures."""

from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go

from app.charts.chart_options import FILMS, ResponsiveFigure
from app.client.client import Run
from app.figures.animation import FilmOptions
from app.figures.episode import episode_figure
from app.figures.function_adaptation import adaptation_figure, filmed_steps
from app.figures.function_beliefs import beliefs_figure, believing_labels
from app.figures.training_film import boundary_figure, path_figure
from engine.contract.events import Artefact, Condition

# How few-shot films are drawn, and panels per row on a wide and on a narrow screen.
FEW_SHOT = {
    "steps": (adaptation_figure, 3, 2),
    "examples": (beliefs_figure, 3, 2),
    "episode": (episode_figure, 2, 1),
}
WideAndNarrow = tuple[go.Figure, go.Figure | None]


def film_form(run: Run, film: Artefact) -> str:
    """Return how a film is drawn at first."""
    form = str(film.info.get("form"))
    return function_forms(run, film)[0] if form == "adaptation" else form


def function_forms(run: Run, film: Artefact) -> list[str]:
    """Return along what a film of functions has more than one frame; steps if none."""
    asked = [label for label in run.roles if f"{label}/curve" in film.arrays]
    found = ["steps"] if len(filmed_steps(film, asked)) > 1 else []
    found += ["examples"] if believing_labels(film, run.roles) else []
    return found or ["steps"]


def film_figures(run: Run, film: Artefact, form: str, task: int) -> WideAndNarrow:
    """Return a film, and its layout for narrow screens where that differs.

    Args:
        run: The run.
        film: One of its films.
        form: How it is drawn: its own form, or one of `function_forms`.
        task: Which of its tasks, from 0.
    """
    if form == "path":
        return path_figure(film, run.roles, task), None
    if form in FEW_SHOT:
        draw, wide, narrow = FEW_SHOT[form]
        shot = FilmOptions(task=task, columns=wide, spreads=_constant_spreads(run))
        phone = draw(film, run.roles, shot._replace(columns=narrow, only_layout=True))
        return draw(film, run.roles, shot), phone
    shot = FilmOptions(task=task, losses=_task_losses(run, film, task), columns=4)
    phone = boundary_figure(film, run.roles, shot._replace(columns=2, only_layout=True))
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


def first_films(run: Run) -> Iterator[ResponsiveFigure]:
    """Yield each film of a run with the task that is shown first."""
    for name in FILMS:
        film = run.film(name)
        if film is not None:
            form, task = film_form(run, film), first_task(film)
            wide, narrow = film_figures(run, film, form, task)
            yield ResponsiveFigure(name, wide, narrow)


def first_task(film: Artefact) -> int:
    """Return the task that is shown first: the median one where they are ranked."""
    words = [str(word) for word in film.info.get("which", ())]
    return words.index("median") if "median" in words else 0
