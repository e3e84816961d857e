"""The knowledge base: a bounded memory of trained architectures.

An experience is one trained architecture: its codes and accuracy, its task, and the
search and step that trained it. A base keeps the best experiences and a uniform sample
of all, so that its size does not grow with the number of searches.

Source: Vitter (1985), ACM TOMS 11(1), algorithm R, for the sample.
"""

import hashlib
import json
from typing import NamedTuple, Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped

from engine.protocol import Space, Weights


class ExperienceBatch(NamedTuple):
    """Trained architectures; arrays lead with (replicate, item).

    Args:
        codes: In the evaluator's space; shape (replicate, item, position).
        accuracy: Validation accuracy, share; NaN where the training failed.
        task: Index among the evaluator's tasks.
        step: Index of the evaluation in its search.
        search: Index of the search in meta-training.
        valid: False where the search had ended and nothing was trained.
    """

    codes: Int[np.ndarray, "replicate item position"]
    accuracy: Float[np.ndarray, "replicate item"]
    task: Int[np.ndarray, "replicate item"]
    step: Int[np.ndarray, "replicate item"]
    search: Int[np.ndarray, "replicate item"]
    valid: Bool[np.ndarray, "replicate item"]


class KnowledgeBase(NamedTuple):
    """A knowledge base; arrays lead with the replicate.

    The first entries are the best experiences, best first; the others a uniform
    sample of all.

    Args:
        accuracy: Share, NaN where the training failed; shape (replicate, entry).
        codes: Shape (replicate, entry, position).
        task: Shape (replicate, entry), as are `step` and `search`.
        step: Index of the evaluation in its search.
        search: Index of the search in meta-training.
        filled: 1 where the entry holds an experience, else 0.
        seen: Number of experiences added so far; shape (replicate,).
        moments: Count, mean and sum of squared deviations of each task's accuracies;
            shape (replicate, task, 3).
        space: Fingerprint of the space; shape (replicate, 8).
        top: Number of entries for the best; shape (replicate,).
    """

    accuracy: Float[np.ndarray, "replicate entry"]
    codes: Int[np.ndarray, "replicate entry position"]
    task: Int[np.ndarray, "replicate entry"]
    step: Int[np.ndarray, "replicate entry"]
    search: Int[np.ndarray, "replicate entry"]
    filled: Int[np.ndarray, "replicate entry"]
    seen: Int[np.ndarray, " replicate"]
    moments: Float[np.ndarray, "replicate task 3"]
    space: Int[np.ndarray, "replicate 8"]
    top: Int[np.ndarray, " replicate"]

    @classmethod
    def from_weights(cls, weights: Weights) -> Self:
        """Return the base that meta-weights hold."""
        return cls(*(weights[name].detach().cpu().numpy() for name in cls._fields))

    def to_weights(self) -> Weights:
        """Return the base as meta-weights."""
        return {
            name: torch.from_numpy(np.ascontiguousarray(part))
            for name, part in zip(self._fields, self, strict=True)
        }

    def of_replicate(self, replicate: int) -> Self:
        """Return one replicate's base."""
        return type(self)(*(part[replicate : replicate + 1] for part in self))


class BaseSizes(NamedTuple):
    """Size of a base: `top` entries for the best experiences, `capacity` in all."""

    top: int
    capacity: int


def empty_base(
    space: Space, replicates: int, sizes: BaseSizes, tasks: int
) -> KnowledgeBase:
    """Return a base without experiences.

    Args:
        space: The evaluator's space.
        replicates: Number of replicates.
        sizes: Size of the base.
        tasks: Number of the evaluator's tasks.
    """
    shape = (replicates, sizes.capacity)
    zeros = np.zeros(shape, np.int64)
    return KnowledgeBase(
        accuracy=np.zeros(shape),
        codes=np.zeros((*shape, len(space.radix)), np.int64),
        task=zeros,
        step=zeros.copy(),
        search=zeros.copy(),
        filled=zeros.copy(),
        seen=np.zeros(replicates, np.int64),
        moments=np.zeros((replicates, tasks, 3)),
        space=np.tile(space_fingerprint(space), (replicates, 1)),
        top=np.full(replicates, sizes.top),
    )


def space_fingerprint(space: Space) -> Int[np.ndarray, " 8"]:
    """Return the sha256 of a space's definition as eight integers; shape (8,)."""
    text = json.dumps([space.name, space.positions, space.options, space.edges])
    found = np.frombuffer(hashlib.sha256(text.encode()).digest(), "<u4")
    return found.astype(np.int64)


def add_experiences(
    base: KnowledgeBase,
    found: ExperienceBatch,
    uniform: Float[np.ndarray, "replicate item"],
) -> KnowledgeBase:
    """Return the base with new experiences added.

    The best are those with the highest z-score within their task; an architecture is
    kept once per task, with its first training. Failed trainings are only part of the
    sample.

    Args:
        base: The base so far; it is not changed.
        found: New experiences.
        uniform: Uniform in [0, 1), one per experience; shape (replicate, item).
    """
    rows = [
        _remember_replicate(
            base.of_replicate(r), _valid_rows(found, r), uniform[r][found.valid[r]]
        )
        for r in range(len(base.seen))
    ]
    return KnowledgeBase(*(np.concatenate(parts) for parts in zip(*rows, strict=True)))


def _valid_rows(found: ExperienceBatch, r: int) -> ExperienceBatch:
    """Return one replicate's valid experiences."""
    return ExperienceBatch(*(part[r][found.valid[r]] for part in found))


def _remember_replicate(
    base: KnowledgeBase, found: ExperienceBatch, uniform: Float[np.ndarray, " item"]
) -> KnowledgeBase:
    top = int(base.top[0])
    moments = base.moments.copy()
    moments[0] = _update_moments(moments[0], found.task, found.accuracy)
    entries = {name: getattr(base, name)[0] for name in _ENTRY}
    new = {name: getattr(found, name) for name in _ENTRY}
    best = _merge_best(entries, new, base.filled[0], moments[0], top)
    sample = _update_reservoir(entries, new, int(base.seen[0]), uniform, top)
    seen = base.seen + len(found.task)
    filled = np.zeros_like(base.filled)
    filled[0, : len(best["task"])] = 1
    filled[0, top:] = np.arange(filled.shape[1] - top) < seen[0]
    kept = {}
    for name in _ENTRY:
        whole = entries[name].copy()
        whole[: len(best[name])] = best[name]
        whole[top:] = sample[name]
        kept[name] = whole[None]
    return base._replace(**kept, filled=filled, seen=seen, moments=moments)


_ENTRY = ("accuracy", "codes", "task", "step", "search")


def _update_moments(
    moments: Float[np.ndarray, "task 3"],
    task: Int[np.ndarray, " item"],
    accuracy: Float[np.ndarray, " item"],
) -> Float[np.ndarray, "task 3"]:
    """Return the moments with more accuracies merged in (Chan et al., 1979)."""
    merged = moments.copy()
    for t in np.unique(task):
        new = accuracy[(task == t) & np.isfinite(accuracy)]
        if not len(new):
            continue
        count, mean, squares = merged[t]
        total, gap = count + len(new), new.mean() - mean
        squares += ((new - new.mean()) ** 2).sum()
        squares += gap**2 * count * len(new) / total
        merged[t] = total, mean + gap * len(new) / total, squares
    return merged


def z_scores(
    accuracy: Float[np.ndarray, " item"],
    task: Int[np.ndarray, " item"],
    moments: Float[np.ndarray, "task 3"],
) -> Float[np.ndarray, " item"]:
    """Return how many standard deviations each accuracy is above its task's mean.

    Args:
        accuracy: Share; shape (item,).
        task: Index of each item's task; shape (item,).
        moments: Moments of the tasks; shape (task, 3).

    Returns:
        Shape (item,).

    >>> z_scores(np.array([0.7]), np.array([0]), np.array([[4, 0.5, 0.04]])).round(6)
    array([2.])
    """
    count, mean, squares = moments[task].T
    spread = np.sqrt(squares / np.maximum(count, 1))
    # Floored: a task with one experience, or equal ones, has no spread.
    return (accuracy - mean) / np.maximum(spread, 1e-9)


def _merge_best(
    old: dict[str, Shaped[np.ndarray, "entry ..."]],
    new: dict[str, Shaped[np.ndarray, "item ..."]],
    filled: Int[np.ndarray, " entry"],
    moments: Float[np.ndarray, "task 3"],
    top: int,
) -> dict[str, Shaped[np.ndarray, "best ..."]]:
    had = np.flatnonzero(filled[:top])
    came = np.flatnonzero(np.isfinite(new["accuracy"]))
    both = {n: np.concatenate([old[n][had], new[n][came]]) for n in _ENTRY}
    key = np.column_stack([both["codes"], both["task"]])
    # The first of equal architectures stays; sorted, because ties go by age below.
    first = np.sort(np.unique(key, axis=0, return_index=True)[1])
    score = z_scores(both["accuracy"][first], both["task"][first], moments)
    chosen = first[np.argsort(-score, kind="stable")[:top]]
    return {n: part[chosen] for n, part in both.items()}


def _update_reservoir(
    old: dict[str, Shaped[np.ndarray, "entry ..."]],
    new: dict[str, Shaped[np.ndarray, "item ..."]],
    seen: int,
    uniform: Float[np.ndarray, " item"],
    top: int,
) -> dict[str, Shaped[np.ndarray, "sample ..."]]:
    room = len(old["task"]) - top
    at = seen + np.arange(len(uniform))
    place = np.where(at < room, at, np.floor(uniform * (at + 1)).astype(np.int64))
    lands = np.flatnonzero(place < room)
    # If several land in one slot, the last stays, as in one-by-one insertion.
    last = {int(place[i]): int(i) for i in lands}
    where, which = list(last), list(last.values())
    kept = {}
    for name in _ENTRY:
        kept[name] = old[name][top:].copy()
        kept[name][where] = new[name][which]
    return kept
