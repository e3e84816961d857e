"""The film: what every learner does to the same task, frame by frame."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
from torch import Tensor

from engine.bench import Bench, Trial
from engine.carry import Carry
from engine.contract.blocks import Artefact, Event, Note
from engine.inner.descend import join
from engine.protocol import Meta
from engine.tasks.pictures import picture_arrays
from engine.testing import rows_of, test_tasks

TASKS, FRAMES = 3, 25


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
            paths[entrant.label] = joined.path
    last = tasks.horizon
    frames = np.unique(np.linspace(0, last, min(FRAMES, last + 1)).round().astype(int))
    arrays, form = picture_arrays(tasks, paths, frames)
    info = {"form": form, "tasks": count, "condition": asdict(trial.condition)}
    if form:
        yield Artefact(name, "film", arrays, info)
