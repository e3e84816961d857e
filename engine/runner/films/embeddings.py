"""Snapshots of an embedding while it is learned, always of the same episode."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.contract.events import Artefact
from engine.protocol import EpisodeBatch, TaskBatch, Weights
from engine.protocol.chunks import select_replicates
from engine.runner.context import LearnerEntry
from engine.tasks.few_shot._display import ROOM, leading_examples, to_numpy

SNAPSHOTS, QUERIES = 12, 15  # of a learner; of a class


def snapshot_steps(steps: int, every: int) -> set[int]:
    """Return at which validations the embedding is looked at, 12 at most.

    More of them are early, where features move most.

    >>> sorted(snapshot_steps(10, 4)), sorted(snapshot_steps(1000, 10))[:6]
    ([0, 4, 8, 10], [0, 10, 30, 70, 130, 210])
    """
    times = [*range(0, steps, every), steps]
    share = np.linspace(0.0, 1.0, min(SNAPSHOTS, len(times))) ** 2
    chosen = {int(i) for i in (share * (len(times) - 1)).round()}
    rest = [i for i in range(len(times)) if i not in chosen]
    chosen |= set(rest[: len(share) - len(chosen)])
    return {times[i] for i in chosen}


def take_snapshot(
    entry: LearnerEntry, weights: Weights, exam: TaskBatch, step: int
) -> Iterator[Artefact]:
    """Yield the features of the first validation episode, where a learner has any."""
    learner = entry.learner
    if not isinstance(learner, FewShotLearner) or not isinstance(exam, EpisodeBatch):
        return
    if not exam.has_classes:
        return
    episode = exam.take([0])
    found = learner.embed(select_replicates(weights, range(1)), episode)
    if found is None:
        return
    support, query = (features[0].mT for features in found)
    left = max(1, (ROOM // 4 // support.shape[1] - len(support)) // episode.outputs)
    kept = leading_examples(episode.query.y, min(QUERIES, left))
    arrays = {
        "support": to_numpy(support),
        "query": to_numpy(query[kept]),
        "support_y": to_numpy(episode.support.y[0]),
        "query_y": to_numpy(episode.query.y[0, kept]),
    }
    shot = Artefact("", "snapshot", arrays, {"meta_step": step})
    yield label_snapshot(shot, entry.label)


def label_snapshot(shot: Artefact, label: str) -> Artefact:
    """Return a snapshot as that of a learner."""
    step = shot.info["meta_step"]
    info = {"learner": label, "meta_step": step}
    return replace(shot, name=f"embedding {label} {step:07d}", info=info)
