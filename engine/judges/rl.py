"""The judge of agents: regret over the judged episodes of a trial."""

from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.rl.random_agent import random_regrets
from engine.contract.kinds import RL
from engine.judges.judge import JUDGES, Arrays, Judge, TuningScores
from engine.protocol import TaskBatch, TraceSegment, TrialBatch
from engine.stats.task_metrics.rl import summarize_trials

# Of batches that are in use: every agent of a run is tested on the same one.
_RANDOM: WeakKeyDictionary[TrialBatch, np.ndarray] = WeakKeyDictionary()


def known_random_regrets(tasks: TrialBatch) -> np.ndarray:
    """Return what random actions lose in an episode, computed once a batch.

    Returns:
        Shape (member,).
    """
    if tasks not in _RANDOM:
        _RANDOM[tasks] = random_regrets(tasks).cpu().numpy()
    return _RANDOM[tasks]


class TrialJudge(Judge):
    """Scores by the mean regret of the judged episodes."""

    def score(self, trace: TraceSegment, tasks: TaskBatch) -> Tensor:
        """Return the regret of the judged episodes, as tests count it; (member,)."""
        assert isinstance(tasks, TrialBatch)
        judged = trace.traces["episode_regret"][:, -tasks.judged :]
        return judged.sum(1) if tasks.totals else judged.mean(1)

    def examples(self, tasks: TaskBatch) -> int:
        """Return 0: a trial counts interactions, not examples."""
        return 0

    def support_length(self, tasks: TaskBatch) -> float:
        """Return 0: a task has no support."""
        return 0.0

    def traces(self, traces: Arrays) -> Arrays:
        """Return the traces unchanged; NaN from where a policy was not finite."""
        return traces

    def summaries(
        self, traces: Arrays, trace: TraceSegment, tasks: TaskBatch, level: float | None
    ) -> Arrays:
        """Return regret, return and more of each trial."""
        assert isinstance(tasks, TrialBatch)
        shape = traces["episode_return"].shape[:2]
        worst = tasks.worst_regret.cpu().numpy().reshape(shape)
        random = known_random_regrets(tasks).reshape(shape)
        return summarize_trials(
            traces, tasks.judged, worst, random, totals=tasks.totals
        )

    def gradients(self, trace: TraceSegment, tasks: TaskBatch) -> np.ndarray:
        """Return the number of episodes of each trial, as training counts them."""
        length = trace.traces["episode_length"]
        return np.full(len(length), length.shape[1])

    def tuning_scores(self, trace: TraceSegment, tasks: TaskBatch) -> TuningScores:
        """Return the regret of each trial, as tests count it; shape (member, 1)."""
        assert isinstance(tasks, TrialBatch)
        regret = self.score(trace, tasks)
        # A diverged trial counts as the worst one, as it does in a test.
        regret = torch.where(regret.isfinite(), regret, tasks.worst_regret)
        rows = regret.double().cpu().numpy()[:, None]
        return TuningScores(rows, rows, (tasks.horizon,))


JUDGES[RL.name] = TrialJudge()
