"""Base class of learners of trials: an agent plays, part by part, and is judged."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from torch import Tensor

from engine.algorithms.rl.rollouts import Rollout
from engine.algorithms.rl.trial_traces import segments
from engine.contract.rng import Rng
from engine.contract.run_spec import Budget
from engine.protocol import (
    Estimator,
    Learner,
    Meta,
    Plan,
    TaskBatch,
    TraceSegment,
    TrialBatch,
    Weights,
)


class ValueMaps(NamedTuple):
    """What a value net expects at places, in reward per step that is left.

    Per step, so that critics of an episode and of a whole trial compare.

    Args:
        first: At the beginning of the trial; shape (member, place).
        last: After adaptation, at the beginning of the last episodes.
    """

    first: Tensor
    last: Tensor


class TrialLearner(Learner):
    """Base class: a subclass plays the episodes of a trial, in parts."""

    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    answers: ClassVar[tuple[str, ...]] = ("arms", "states", "actions")

    @abstractmethod
    def play(self, weights: Weights, tasks: TrialBatch) -> Iterator[Rollout]:
        """Yield the trial's episodes in order, in parts.

        Args:
            weights: Of the meta-learner; shape (replicate, …).
            tasks: The tasks.
        """

    def value_maps(
        self, weights: Weights, tasks: TrialBatch, seen: Tensor
    ) -> ValueMaps | None:
        """Return what its value net expects at places; None if it has no such net.

        Args:
            weights: Of the meta-learner; shape (replicate, …).
            tasks: The tasks.
            seen: What it sees there; shape (place, number).
        """
        return None

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return why it cannot play these tasks: its nets are of other sizes."""
        assert isinstance(tasks, TrialBatch)
        asked = self.init((Rng(0),), tasks).weights
        if {n: w.shape[1:] for n, w in asked.items()} == {
            n: w.shape[1:] for n, w in meta.weights.items()
        }:
            return None
        world = tasks.environment
        return (
            "its nets were trained for other observations or actions than those of "
            f"these tasks (observations: {world.observation}, "
            f"actions: {world.actions.count})"
        )

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Yield the traces of the trial, part by part."""
        assert isinstance(tasks, TrialBatch)
        yield from segments(tasks, self.play(meta.weights, tasks))

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Return how the budget is spent: a trial is one task evaluation."""
        steps = budget.task_evaluations // budget.tasks_per_step if self.trains else 0
        return Plan(steps, budget.tasks_per_step, 1, 1.0, float(budget.horizon))
