"""Online episodes of classes: examples come in random order, each label one step late.

Source: the protocol of Santoro et al. (2016), section 3: an example x_t comes with the
label of the one before it, y_{t−1}, and labels are bound to classes anew in each
episode.
"""

from typing import Literal

import numpy as np

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.protocol import Episode, generator

Labels = Literal["shuffled", "fixed"]
ROUND = 10  # presentations of each class in a round


def presentations_knob(*, high: int = 1000) -> int:
    """Declare the length of an episode."""
    return knob(  # type: ignore[no-any-return]
        50,
        label="Presentations T",
        unit="examples",
        low=2,
        high=high,
        work="passes",
        help="Examples of all classes together, in random order. Each is to be "
        "classified before its label is revealed. Classes are equally frequent in each "
        f"round of {ROUND} examples per class.",
    )


def labels_knob() -> Labels:
    """Declare whether labels are bound to classes anew in each episode."""
    return knob(  # type: ignore[no-any-return]
        "shuffled",
        label="Labels",
        help="Shuffled: which label a class has is drawn anew in each episode, so that "
        "it must be remembered. Fixed: class number modulo N, so that the classes of "
        "meta-training can be learned by heart.",
    )


def presentation_order(rng: Rng, ways: int, count: int) -> np.ndarray:
    """Return which class is presented at each step; shape (step,).

    Args:
        rng: The task's stream; more presentations leave the earlier ones unchanged.
        ways: Number of classes.
        count: Number of presentations.
    """
    rounds = range(-(-count // (ROUND * ways)))
    every = np.repeat(np.arange(ways), ROUND)
    drawn = [generator(rng.child("order", r)).permutation(every) for r in rounds]
    return np.concatenate(drawn)[:count]


def presentation_numbers(labels: np.ndarray) -> np.ndarray:
    """Return how often each example's class was presented before.

    Args:
        labels: Classes in the order of presentation; shape (step,) or (task, step).

    >>> presentation_numbers(np.array([2, 0, 2, 2])).tolist()
    [0, 0, 1, 2]
    """
    same = labels[..., :, None] == labels[..., None, :]
    return np.asarray(np.tril(same, -1).sum(-1))


def choose_online_classes(
    draw: np.random.Generator, classes: int, ways: int, labels: Labels
) -> np.ndarray:
    """Choose the classes of an episode; label k is the k-th of them.

    Args:
        draw: Random numbers.
        classes: Number of classes in the pool.
        ways: Number of classes to choose.
        labels: With fixed labels, class c always has the label c mod ways.

    Returns:
        Class numbers; shape (way,).

    Raises:
        Refused: If the pool has too few classes.
    """
    if ways > classes:
        raise Refused(f"{ways} ways are too many: a pool has {classes} classes", "ways")
    if labels == "shuffled":
        return draw.choice(classes, ways, replace=False)
    return np.arange(ways) + ways * draw.integers(classes // ways, size=ways)


def online_episode(
    x: np.ndarray,
    labels: np.ndarray,
    ids: np.ndarray,
    shape: tuple[int, ...],
    known: int,
) -> Episode:
    """Make an episode in which the queries are the support's own examples.

    Args:
        x: Examples in the order of presentation; float32, shape (feature, step).
        labels: Their labels; shape (step,).
        ids: Class in the pool of each way; shape (way,).
        shape: Shape of one example.
        known: Number of classes in the meta-training pool.
    """
    of = ids[labels]
    return Episode(
        x=x,
        y=labels,
        held_x=x,
        held_y=labels,
        outputs=len(ids),
        shape=shape,
        ids=of,
        held_ids=of,
        known_classes=known,
        online=True,
    )
