"""Searches of source tasks, written down as experiences."""

from typing import Literal

import numpy as np

from engine.algorithms.search.evolution import Evolution, empty_population
from engine.algorithms.search.knowledge.base import Experiences
from engine.algorithms.search.loop import Searched, searched
from engine.algorithms.search.proposals import fresh
from engine.protocol import Asked, Lesson, Spaces, generator

POPULATION = SAMPLE = 10
Source = Literal["random", "evolution"]
Numbers = np.ndarray


def lived(
    tasks: Spaces, lesson: Lesson, source: Source, *, shuffled: bool = False
) -> Experiences:
    """Search every task of a lesson; return what was trained.

    Args:
        tasks: Replicate × task.
        lesson: Its step numbers the searches.
        source: Which strategy searches.
        shuffled: Whether each search's accuracies are dealt out anew among the
            architectures that it trained: what was learned is then wrong.
    """
    found = _random(tasks) if source == "random" else _evolution(tasks)
    accuracy = _dealt(tasks, found) if shuffled else found.signal
    each = tasks.members // tasks.replicates
    shape = accuracy.shape
    search = lesson.step * each + np.arange(tasks.members) % each
    return Experiences(
        _by_replicate(tasks, tasks.spelled(found.codes)),
        _by_replicate(tasks, accuracy),
        _by_replicate(tasks, np.broadcast_to(tasks.which[:, None], shape)),
        _by_replicate(tasks, np.broadcast_to(np.arange(shape[1]), shape)),
        _by_replicate(tasks, np.broadcast_to(search[:, None], shape)),
        _by_replicate(tasks, found.live),
    )


def draw_uniform(lesson: Lesson, items: int) -> Numbers:
    """Return one uniform number per experience; (replicate, item)."""
    streams = [rng.child("sample") for rng in lesson.rngs]
    return np.stack([generator(rng).random(items) for rng in streams])


def _random(tasks: Spaces) -> Searched:
    plan = fresh(tasks)
    return searched(
        tasks,
        None,
        lambda step, state: Asked(plan[:, step]),
        lambda state, told: (None, {}),
    )


def _evolution(tasks: Spaces) -> Searched:
    uniform = tasks.uniform("evolution", tasks.horizon, SAMPLE + 3)
    evolution = Evolution(fresh(tasks)[:, :POPULATION], uniform, SAMPLE, aging=True)
    return searched(
        tasks,
        empty_population(tasks, POPULATION),
        lambda step, state: evolution.ask(tasks, step, state),
        lambda state, told: (evolution.tell(state, told), {}),
    )


def _dealt(tasks: Spaces, found: Searched) -> Numbers:
    uniform = tasks.uniform("shuffle", tasks.horizon)
    accuracy = found.signal.copy()
    for member, live in enumerate(found.live):
        at = np.flatnonzero(live)
        accuracy[member, at] = accuracy[member, at[np.argsort(uniform[member, at])]]
    return accuracy


def _by_replicate(tasks: Spaces, rows: Numbers) -> Numbers:
    """Put the searches of a replicate one after the other; (replicate, item, …)."""
    return rows.reshape(tasks.replicates, -1, *rows.shape[2:])
