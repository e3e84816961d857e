"""Films of optimization: every learner on the same tasks, frame by frame."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor

from engine.contract.events import Artefact, Event, Note
from engine.contract.kinds import OPTIMIZATION
from engine.protocol import Family, Meta, OptimizationBatch
from engine.protocol.member_chunks import join_segments, select_replicates
from engine.runner.context import MetaTestCondition, RunContext
from engine.runner.films import FILM_RECORDERS, FilmRecorder
from engine.runner.meta_test import draw_test_tasks
from engine.runner.state import RunState
from engine.tasks.optimization._functions import FunctionBatch
from engine.tasks.optimization._plots import (
    BOUNDARY,
    NONE,
    PATH,
    boundary_grid,
    plot_kind,
    surface_grid,
)
from engine.tasks.optimization._supervised import SupervisedBatch

TASKS, FRAMES, POINTS = 3, 25, 200  # at most; points of the training set
Arrays = dict[str, np.ndarray]


def film_optimization(
    context: RunContext, condition: MetaTestCondition, name: str, state: RunState
) -> Iterator[Event]:
    """Film every learner on the first test tasks of the first replicate.

    Args:
        context: The run.
        condition: The condition to film.
        name: The film's name.
        state: Holds the meta-weights.

    Yields:
        Notes, and the film's artefact if the tasks can be drawn in a plane.
    """
    count = min(TASKS, context.spec.budget.test_tasks)
    tasks = draw_test_tasks(context, condition).take(range(count))
    paths: dict[str, Tensor] = {}
    for i, entry in enumerate(context.entries):
        meta = Meta(select_replicates(state.metas[entry.label], range(1)), {})
        joined = join_segments(list(entry.learner.adapt(meta, tasks, path=True)))
        yield Note(name, i / len(context.entries), entry.label)
        if joined.path is not None:
            paths |= dict.fromkeys(entry.labels, joined.path)
    form, arrays = _choose_picture(tasks, paths)
    info = {"form": form, "tasks": count, "condition": asdict(condition.condition)}
    if form:
        yield Artefact(name, "film", arrays, info)


def _choose_picture(
    tasks: OptimizationBatch, paths: dict[str, Tensor]
) -> tuple[str, Arrays]:
    """Return what can be drawn, a boundary, a path or nothing, and its arrays."""
    form = plot_kind(tasks)
    if form == PATH and isinstance(tasks, FunctionBatch):
        return form, _surface(tasks, paths)
    if form == BOUNDARY and isinstance(tasks, SupervisedBatch):
        return form, _boundary(tasks, paths)
    return NONE, {}


def _boundary(tasks: SupervisedBatch, paths: dict[str, Tensor]) -> Arrays:
    """Return each learner's P(class 1) over the plane as bytes, frame by frame."""
    last = tasks.horizon
    frames = np.linspace(0, last, min(FRAMES, last + 1)).round().astype(np.int64)
    shown = min(POINTS, tasks.data.train)
    arrays: Arrays = {
        "frames": frames,
        "points": tasks.data.x[..., :shown].mT.cpu().numpy().astype(np.float32),
        "labels": tasks.data.y[:, :shown].cpu().numpy().astype(np.uint8),
    }
    for label, path in paths.items():
        grid = boundary_grid(tasks, path[:, torch.from_numpy(frames)])
        arrays |= {f"{label}/grid": grid.values, "x": grid.xs, "y": grid.ys}
    return arrays


def _surface(tasks: FunctionBatch, paths: dict[str, Tensor]) -> Arrays:
    """Return each learner's path, and the log loss that it runs over."""
    grid = surface_grid(tasks, torch.cat(list(paths.values()), 1))
    arrays: Arrays = {"surface": grid.values, "x": grid.xs, "y": grid.ys}
    for label, path in paths.items():
        arrays[f"{label}/path"] = path.cpu().numpy().astype(np.float32)
    return arrays


def _in_plane(family: Family) -> bool:
    return family.plane


FILM_RECORDERS[OPTIMIZATION.name] = FilmRecorder(film_optimization, can_film=_in_plane)
