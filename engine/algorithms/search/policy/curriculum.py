"""Curricula over source tasks, ordered by measured difficulty.

The difficulty of a task is the share of evaluations of its first visit that were not
near the best of that visit; competence is the share of recent evaluations that reach
that threshold. Unvisited tasks come first, whatever the order, so that every task that
is ordered has been measured.

Source: Bengio et al. (2009), ICML, for easy tasks first; Platanios et al. (2019),
arXiv:1903.09848, for the pace by competence.
Differs: difficulty and competence are measured in training, not given.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int

from engine.protocol import Weights

CurriculumOrder = Literal["uniform", "easy first", "hard first", "competence"]
NEAR = 0.1  # within this share of the range counts as near the best
FIRST = 0.25  # share of the tasks that are open at the start
ENOUGH, RECENT = 0.7, 0.3  # competence to open a task; weight of the newest visit
BINS = 4


class Curriculum(NamedTuple):
    """Measurements of the source tasks so far; arrays lead with the replicate.

    Args:
        difficulty: Share of the first visit's evaluations not near its best; NaN for
            unvisited tasks; shape (replicate, source).
        bar: Least reward near the best of the first visit; same shape.
        competence: Moving average of the share of evaluations that reach the bar;
            same shape.
        visits: Number of visits of each task; same shape.
        stage: Number of easiest tasks that are open; shape (replicate,).
    """

    difficulty: Float[np.ndarray, "replicate source"]
    bar: Float[np.ndarray, "replicate source"]
    competence: Float[np.ndarray, "replicate source"]
    visits: Float[np.ndarray, "replicate source"]
    stage: Float[np.ndarray, " replicate"]

    @classmethod
    def empty(cls, replicates: int, sources: int) -> "Curriculum":
        """Return the state before any task was visited."""
        shape = (replicates, sources)
        none = [np.full(shape, np.nan) for _ in range(3)]
        first = np.full(replicates, np.ceil(FIRST * sources))
        return cls(*none, np.zeros(shape), first)

    @classmethod
    def from_memory(cls, memory: Weights) -> "Curriculum":
        """Read the curriculum from a meta-learner's memory."""
        return cls(*(memory[f"curriculum_{k}"].numpy() for k in cls._fields))

    def to_memory(self) -> Weights:
        """Return the curriculum as part of a meta-learner's memory."""
        named = zip(self._fields, self, strict=True)
        return {f"curriculum_{k}": torch.from_numpy(part.copy()) for k, part in named}

    def sort_sources(
        self, hardest: bool = False
    ) -> Int[np.ndarray, "replicate source"]:
        """Return source indices from easy to hard, or the reverse; unvisited first."""
        sign = -1.0 if hardest else 1.0
        rank = np.where(np.isnan(self.difficulty), -np.inf, sign * self.difficulty)
        return np.argsort(rank, axis=1, kind="stable")

    def open_count(
        self, order: CurriculumOrder, done: float
    ) -> Int[np.ndarray, " replicate"]:
        """Return the number of open tasks; shape (replicate,).

        By competence it is the stage; else it grows linearly from a quarter to all
        over the first half of training.

        Args:
            order: The order of the tasks.
            done: Share of the training that is over.
        """
        replicates, sources = self.difficulty.shape
        if order == "competence":
            return self.stage.astype(np.int64)
        share = min(1.0, FIRST + (1.0 - FIRST) * 2.0 * done)
        return np.full(replicates, int(np.ceil(share * sources)))

    def choose_sources(
        self,
        order: CurriculumOrder,
        uniform: Float[np.ndarray, "replicate task"],
        done: float,
    ) -> Int[np.ndarray, "replicate task"]:
        """Choose source tasks by an order other than uniform.

        Args:
            order: The order of the tasks.
            uniform: Uniform in [0, 1), one per chosen task; shape (replicate, task).
            done: Share of the training that is over.

        Returns:
            Indices of sources, shape (replicate, task). No task repeats before all
            open ones were drawn.
        """
        ordered = self.sort_sources(order == "hard first")
        opened = self.open_count(order, done)
        rows = []
        for row, unseen, most, rolls in zip(
            ordered, np.isnan(self.difficulty).sum(1), opened, uniform, strict=True
        ):
            rows.append(_pick_sources(row, int(unseen), int(most), rolls))
        return np.stack(rows)

    def update(
        self,
        chosen: Int[np.ndarray, "replicate task"],
        rewards: Float[np.ndarray, "replicate task step"],
    ) -> "Curriculum":
        """Return the curriculum updated with the rewards of a meta-step.

        Args:
            chosen: Indices of sources; shape (replicate, task).
            rewards: NaN where nothing was trained; shape (replicate, task, step).
        """
        after = Curriculum(*(part.copy() for part in self))
        for r, places in enumerate(chosen):
            for place, found in zip(places, rewards[r], strict=True):
                _record_visit(after, (r, int(place)), found[~np.isnan(found)])
            after.stage[r] = _next_stage(after, r)
        return after

    def coverage_metrics(
        self, chosen: Int[np.ndarray, "replicate task"]
    ) -> dict[str, Float[np.ndarray, " replicate"]]:
        """Return how the drawn tasks cover the difficulties; (replicate,) each.

        Coverage and balance are over all visits so far, the mean over this meta-step.

        Args:
            chosen: Indices of sources; shape (replicate, task).
        """
        rows = [
            measure_balance(difficulty, visits)
            for difficulty, visits in zip(self.difficulty, self.visits, strict=True)
        ]
        now = np.take_along_axis(self.difficulty, chosen, 1)
        known = ~np.isnan(now)
        mean = np.where(known, now, 0.0).sum(1) / np.maximum(known.sum(1), 1)
        return {
            "task_coverage": np.array([row.coverage for row in rows]),
            "difficulty_balance": np.array([row.evenness for row in rows]),
            "mean_difficulty": np.where(known.any(1), mean, np.nan),
        }


def _pick_sources(
    order: Int[np.ndarray, " source"],
    unseen: int,
    most: int,
    uniform: Float[np.ndarray, " task"],
) -> Int[np.ndarray, " task"]:
    """Choose unvisited tasks first, then draw open ones without replacement."""
    found = list(order[:unseen][: len(uniform)])
    open_ones = list(order[unseen:][:most]) or list(order[:most])
    left: list[int] = []
    for roll in uniform[len(found) :]:
        left = left or list(open_ones)
        found.append(left.pop(int(roll * len(left))))
    return np.array(found, np.int64)


def _record_visit(
    state: Curriculum, at: tuple[int, int], rewards: Float[np.ndarray, " evaluation"]
) -> None:
    if not len(rewards):
        return
    state.visits[at] += 1
    if np.isnan(state.difficulty[at]):
        best, worst = rewards.max(), rewards.min()
        state.bar[at] = best - NEAR * (best - worst)
        reached = float((rewards >= state.bar[at]).mean())
        state.difficulty[at], state.competence[at] = 1.0 - reached, reached
        return
    reached = float((rewards >= state.bar[at]).mean())
    state.competence[at] += RECENT * (reached - state.competence[at])


def _next_stage(state: Curriculum, replicate: int) -> float:
    """Open one more task if the open ones are mastered on average."""
    stage, sources = int(state.stage[replicate]), state.difficulty.shape[1]
    easiest = state.sort_sources()[replicate][:stage]
    mastered = np.nan_to_num(state.competence[replicate][easiest]).mean()
    return float(min(sources, stage + bool(mastered >= ENOUGH)))


class DifficultyBalance(NamedTuple):
    """How evenly the drawn tasks cover the difficulties and the available tasks.

    Args:
        histogram: Share of the draws in each of four equal bins of difficulty.
        evenness: Entropy of the histogram over its maximum: 1 is uniform.
        coverage: Share of the tasks drawn at least once.
        mean: Mean difficulty of the draws; NaN if none was measured.
    """

    histogram: tuple[float, ...]
    evenness: float
    coverage: float
    mean: float


def measure_balance(
    difficulty: Sequence[float], draws: Sequence[float]
) -> DifficultyBalance:
    """Measure how evenly draws are spread over the difficulties.

    Bins are equal parts of the range from the easiest to the hardest measured task.

    Args:
        difficulty: Of each task, from 0 to 1; NaN if not measured.
        draws: Number of draws of each task.

    >>> measure_balance([0.0, 0.3, 0.6, 1.0], [1, 1, 1, 1]).evenness
    1.0
    >>> one = measure_balance([0.0, 0.3, 0.6, 1.0], [4, 0, 0, 0])
    >>> one.evenness, one.coverage, one.mean
    (0.0, 0.25, 0.0)
    """
    hard, times = np.asarray(difficulty, float), np.asarray(draws, float)
    coverage = float((times > 0).mean())
    known = ~np.isnan(hard) & (times > 0)
    if not known.any():
        return DifficultyBalance((0.0,) * BINS, float("nan"), coverage, float("nan"))
    measured = hard[~np.isnan(hard)]
    low, width = measured.min(), max(float(np.ptp(measured)), 1e-12)
    bins = np.minimum(((hard[known] - low) / width * BINS).astype(int), BINS - 1)
    shares = np.bincount(bins, times[known], BINS) / times[known].sum()
    some = shares[shares > 0]
    return DifficultyBalance(
        tuple(float(share) for share in shares),
        float(abs((some * np.log(some)).sum()) / np.log(BINS)),
        coverage,
        float((hard[known] * times[known]).sum() / times[known].sum()),
    )
