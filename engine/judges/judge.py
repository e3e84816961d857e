"""What a judge must say of a learner's traces."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from torch import Tensor

from engine.protocol import Stretch, TaskBatch

Arrays = dict[str, np.ndarray]


class Judge(ABC):
    """Turns traces into scores and per-task numbers.

    `views` are the traces shown while training, `validation` and `tuning` the
    metrics of the scores that choose a checkpoint and a rate; with `threshold` a
    level that counts as solved is fixed before the tests; `tuned_last` says that
    rates are tuned once a learner is trained, on validation tasks; `probes` that
    learners are probed after the test in place; `lost` is what is said of a run in
    which every test of the chosen learner diverged; `counts_looks` that what a
    validation evaluates is counted as tuning, for learners that choose by it.
    """

    views: ClassVar[tuple[str, ...]]
    validation: ClassVar[str]
    tuning: ClassVar[str]
    threshold: ClassVar[bool] = False
    tuned_last: ClassVar[bool] = False
    probes: ClassVar[bool] = False
    counts_looks: ClassVar[bool] = False
    lost: ClassVar[str] = "no run of the chosen learner stayed finite; lower its rate"

    @abstractmethod
    def score(self, found: Stretch) -> Tensor:
        """Return what validation goes by, less being better; shape (member,)."""

    @abstractmethod
    def examples(self, tasks: TaskBatch) -> int:
        """Return how many examples a task shows to who learns on it; 0 if unsaid."""

    @abstractmethod
    def traces(self, traces: Arrays) -> Arrays:
        """Return the traces as they are kept, a gap where a task diverged."""

    @abstractmethod
    def summaries(
        self, traces: Arrays, found: Stretch, tasks: TaskBatch, level: float | None
    ) -> Arrays:
        """Return one number a task for each metric; axes (replicate, task).

        Args:
            traces: Axes (replicate, task, step, …).
            found: Says which steps they are of.
            tasks: What they were measured on.
            level: The threshold, where there is one.
        """

    @abstractmethod
    def gradients(self, found: Stretch, tasks: TaskBatch) -> int:
        """Return how many gradients one task's test took."""
