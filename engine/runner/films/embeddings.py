"""Snapshots of an embedding while it is learned, always of the same episode."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.algorithms.few_shot.learner import FewShotLearner
from engine.contract.blocks import Artefact
from engine.protocol import Episodes, TaskBatch, Weights
from engine.protocol.chunks import rows_of
from engine.runner.context import Entrant
from engine.tasks.few_shot._display import ROOM, leading, numbers

SNAPSHOTS, QUERIES = 12, 15  # of a learner; of a class


def looks(steps: int, every: int) -> set[int]:
    """Return at which validations the embedding is looked at, 12 at most.

    More of them are early, where features move most.

    >>> sorted(looks(10, 4)), sorted(looks(1000, 10))[:6]
    ([0, 4, 8, 10], [0, 10, 30, 70, 130, 210])
    """
    times = [*range(0, steps, every), steps]
    share = np.linspace(0.0, 1.0, min(SNAPSHOTS, len(times))) ** 2
    chosen = {int(i) for i in (share * (len(times) - 1)).round()}
    rest = [i for i in range(len(times)) if i not in chosen]
    chosen |= set(rest[: len(share) - len(chosen)])
    return {times[i] for i in chosen}


def snapshot(
    entrant: Entrant, weights: Weights, exam: TaskBatch, step: int
) -> Iterator[Artefact]:
    """Yield the features of the first validation episode, where a learner has any."""
    learner = entrant.learner
    if not isinstance(learner, FewShotLearner) or not isinstance(exam, Episodes):
        return
    if not exam.classes:
        return
    episode = exam.take([0])
    found = learner.embed(rows_of(weights, range(1)), episode)
    if found is None:
        return
    support, query = (features[0].mT for features in found)
    left = max(1, (ROOM // 4 // support.shape[1] - len(support)) // episode.outputs)
    kept = leading(episode.query.y, min(QUERIES, left))
    arrays = {
        "support": numbers(support),
        "query": numbers(query[kept]),
        "support_y": numbers(episode.support.y[0]),
        "query_y": numbers(episode.query.y[0, kept]),
    }
    shot = Artefact("", "snapshot", arrays, {"meta_step": step})
    yield named(shot, entrant.label)


def named(shot: Artefact, label: str) -> Artefact:
    """Return a snapshot as that of a learner."""
    step = shot.info["meta_step"]
    info = {"learner": label, "meta_step": step}
    return replace(shot, name=f"embedding {label} {step:07d}", info=info)
