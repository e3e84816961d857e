"""Deep kernel transfer: a Gaussian process on features that all tasks share.

Source: Patacchiola, Turner, Crowley, O'Boyle and Storkey (2020), arXiv:1910.05199,
algorithm 1 and section 3.
Differs: net and hyperparameters share the run's outer rule, Adam with a rate of its own
for each in the paper. Hyperparameters start at knobs. The evidence is divided by the
number of targets. Classes are functions with the targets −1 and 1, as in the paper, but
softmax is over log Φ(mean / standard deviation), not the largest sigmoid of the mean.
Helps: few shots and a calibrated doubt in closed form: nothing is adapted by steps, and
the evidence weighs fit against complexity.
"""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import feature_count
from engine.algorithms.few_shot.gaussian_process_learner import GaussianProcessLearner
from engine.algorithms.few_shot.sequences import embed_sequence
from engine.algorithms.initial_weights import draw_weights
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import EpisodeBatch, Meta, TaskBatch, Weights


@register("learner")
class DeepKernel(GaussianProcessLearner):
    """θ ← θ + β ∇ mean over tasks of log p(y_S, y_Q | k(f_θ(x), f_θ(x′)) + σ²)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "brown"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the feature net, one per replicate, and start the hyperparameters."""
        assert isinstance(tasks, EpisodeBatch)
        weights = draw_weights(tasks.net, tasks.body, rngs, tasks.support.x)
        size = feature_count(weights, tasks)
        return Meta(weights | self.hyperparameters(size, rngs, tasks), {})

    def features(self, theta: Weights, tasks: EpisodeBatch) -> tuple[Tensor, Tensor]:
        """Return the outputs of the net without its head."""
        return embed_sequence(theta, tasks)
