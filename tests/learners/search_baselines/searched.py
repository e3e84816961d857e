"""Searches for the tests of strategies: a few members of a small, known space."""

from typing import Any

import numpy as np

from engine.protocol import Family, Learner, Meta, SearchBatch, Setting
from engine.protocol.member_chunks import join_segments
from engine.tasks.search.nk_landscape import NkLandscape
from tests.tasks.drawing import DOUBLE, setting, streams

NOTHING = Meta({}, {})


def drawn(changed: Setting, count: int = 4, seed: int = 5) -> SearchBatch:
    """Draw test searches of a setting."""
    tasks = changed.family.draw(changed, streams(count, seed), "test", DOUBLE)
    assert isinstance(tasks, SearchBatch)
    return tasks


def searches(
    count: int = 4, horizon: int = 60, seed: int = 5, **knobs: Any
) -> SearchBatch:
    """Draw searches of a noiseless landscape of 4³ architectures."""
    given: dict[str, Any] = {"size": 3, "choices": 4, "rugged": 2, "blur": 0.0}
    return drawn(setting(NkLandscape(**given | knobs), horizon), count, seed)


def priced(family: Family, horizon: int, count: int = 4) -> SearchBatch:
    """Draw searches of any family."""
    return drawn(setting(family, horizon), count)


def followed(learner: Learner, tasks: SearchBatch) -> dict[str, np.ndarray]:
    """Search to the end; return the traces, (member, evaluation) each."""
    found = join_segments(list(learner.adapt(NOTHING, tasks)))
    return {name: trace.numpy() for name, trace in found.traces.items()}


def truth(tasks: SearchBatch, member: int) -> np.ndarray:
    """Return what a noiseless training of each architecture shows, by its number."""
    codes = tasks.to_evaluator_codes(tasks.space.codes(np.arange(tasks.space.size)))
    shape = len(codes)
    which = np.full(shape, tasks.task_index[member])
    top = np.full(shape, tasks.full_fidelity)
    return tasks.evaluator.measure(which, codes, top, np.zeros(shape)).signal
