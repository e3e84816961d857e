"""Snapshots of a learner's embedding during training, always of the same episode."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.contract.events import Artefact
from engine.protocol import EpisodeBatch, TaskBatch, Weights
from engine.protocol.member_chunks import select_replicates
from engine.runner.context import LearnerEntry
from engine.tasks.few_shot._display import ROOM, leading_examples, to_numpy

SNAPSHOTS, QUERIES = 12, 15  # at most: per learner; per class


def snapshot_steps(steps: int, every: int) -> set[int]:
    """Return the meta-steps at which a snapshot is taken, 12 at most.

    They are denser early, where features change most.

    Args:
        steps: Meta-steps of the training.
        every: Meta-steps between two validations.

    >>> sorted(snapshot_steps(10, 4)), sorted(snapshot_steps(1000, 10))[:6]
    ([0, 4, 8, 10], [0, 10, 30, 70, 130, 210])
    """
    times = [*range(0, steps, every), steps]
    share = np.linspace(0.0, 1.0, min(SNAPSHOTS, len(times))) ** 2
    chosen = {int(i) for i in (share * (len(times) - 1)).round()}
    rest = [i for i in range(len(times)) if i not in chosen]
    chosen |= set(rest[: len(share) - len(chosen)])  # early shares round to one step
    return {times[i] for i in chosen}


def take_snapshot(
    entry: LearnerEntry, weights: Weights, tasks: TaskBatch, step: int
) -> Iterator[Artefact]:
    """Yield the features of the first validation episode, if the learner has any.

    Args:
        entry: The learner.
        weights: Its meta-weights; the first replicate's are used.
        tasks: The validation tasks.
        step: Meta-steps taken.
    """
    learner = entry.learner
    if not isinstance(learner, FewShotLearner) or not isinstance(tasks, EpisodeBatch):
        return
    if not tasks.has_classes:
        return
    episode = tasks.take([0])
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
    """Return a snapshot under a learner's label."""
    step = shot.info["meta_step"]
    info = {"learner": label, "meta_step": step}
    return replace(shot, name=f"embedding {label} {step:07d}", info=info)
