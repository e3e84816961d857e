"""The film: what every learner does to the same task, frame by frame."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor

from engine.contract.blocks import Artefact, Event, Note
from engine.contract.kinds import OPTIMIZATION
from engine.protocol import Family, Landscapes, Meta
from engine.protocol.chunks import join, rows_of
from engine.runner.context import Bench, Trial
from engine.runner.films import FILMS, Filmed
from engine.runner.meta_test import test_tasks
from engine.runner.state import Carry
from engine.tasks.optimization._functions import Functions
from engine.tasks.optimization._plots import (
    BOUNDARY,
    NONE,
    PATH,
    boundary_grid,
    form_of,
    surface_grid,
)
from engine.tasks.optimization._supervised import Supervised

TASKS, FRAMES, POINTS = 3, 25, 200
Arrays = dict[str, np.ndarray]


def film(bench: Bench, trial: Trial, name: str, carry: Carry) -> Iterator[Event]:
    """Film the first test tasks of the first replicate, where they lie in a plane."""
    count = min(TASKS, bench.spec.budget.test_tasks)
    tasks = test_tasks(bench, trial).take(range(count))
    paths: dict[str, Tensor] = {}
    for i, entrant in enumerate(bench.entrants):
        meta = Meta(rows_of(carry.metas[entrant.label], range(1)), {})
        joined = join(list(entrant.learner.adapt(meta, tasks, path=True)))
        yield Note(name, i / len(bench.entrants), entrant.label)
        if joined.path is not None:
            paths |= dict.fromkeys(entrant.labels, joined.path)
    form, arrays = _pictured(tasks, paths)
    info = {"form": form, "tasks": count, "condition": asdict(trial.condition)}
    if form:
        yield Artefact(name, "film", arrays, info)


def _pictured(tasks: Landscapes, paths: dict[str, Tensor]) -> tuple[str, Arrays]:
    """Choose the picture that fits: a boundary, a path, or none."""
    form = form_of(tasks)
    if form == PATH and isinstance(tasks, Functions):
        return form, _surface(tasks, paths)
    if form == BOUNDARY and isinstance(tasks, Supervised):
        return form, _boundary(tasks, paths)
    return NONE, {}


def _boundary(tasks: Supervised, paths: dict[str, Tensor]) -> Arrays:
    """Return each learner's P(class 1) over the plane, as bytes, at each frame."""
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


def _surface(tasks: Functions, paths: dict[str, Tensor]) -> Arrays:
    """Return each learner's path over the logarithm of the loss."""
    grid = surface_grid(tasks, torch.cat(list(paths.values()), 1))
    arrays: Arrays = {"surface": grid.values, "x": grid.xs, "y": grid.ys}
    for label, path in paths.items():
        arrays[f"{label}/path"] = path.cpu().numpy().astype(np.float32)
    return arrays


def _in_plane(family: Family) -> bool:
    return family.plane


FILMS[OPTIMIZATION.name] = Filmed(film, fits=_in_plane)
