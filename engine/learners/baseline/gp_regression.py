"""Gaussian process regression: the raw inputs, and a kernel fitted on other tasks.

Source: Rasmussen and Williams (2006), sections 2.2 and 5.4.1, algorithm 2.1.
Differs: hyperparameters maximize the evidence of meta-training episodes, all at once,
and are fixed at test: ten points alone do not determine them. Classes are functions
with the targets −1 and 1 (section 6.5).
Helps: as the oracle of functions: with the kernel that they were drawn by, no learner
has a smaller expected squared error. For sinusoids that is cosine, up to the prior of
amplitude and phase; for Gaussian process functions, their own kernel.
"""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from engine.algorithms.few_shot.gaussian_process_learner import GaussianProcessLearner
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import EpisodeBatch, Meta, TaskBatch, Weights


@register("learner")
class GpRegression(GaussianProcessLearner):
    """y(x) = k(x, X)ᵀ (K + σ²I)⁻¹ y_S; k and σ maximize log p(y_S, y_Q) over tasks."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "GP regression"
    hue: ClassVar[str] = "gray"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Start the hyperparameters."""
        assert isinstance(tasks, EpisodeBatch)
        return Meta(self.hyperparameters(tasks.support.x.shape[1], rngs, tasks), {})

    def features(self, theta: Weights, tasks: EpisodeBatch) -> tuple[Tensor, Tensor]:
        """Return the inputs as they are."""
        return tasks.support.x, tasks.query.x
