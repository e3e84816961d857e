"""Base class of Gaussian processes whose hyperparameters are meta-learned.

What is open is which features of an input the kernel compares.

Source: Patacchiola et al. (2020), arXiv:1910.05199, algorithm 1; Rasmussen and Williams
(2006), section 6.5, for classes as targets −1 and 1.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import one_hot
from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.algorithms.few_shot.gaussian_process_head import (
    PREFIX,
    Kernel,
    KernelStart,
    Posterior,
    condition,
    condition_on_earlier,
    covariance,
    initial_hyperparameters,
    log_evidence,
    noise_variance,
    to_stable_dtype,
)
from engine.algorithms.few_shot.outer_gradient import outer_gradient
from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.protocol import (
    Density,
    EpisodeBatch,
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    Prediction,
    TaskBatch,
    Weights,
)


class GaussianProcessLearner(FewShotLearner):
    """A Gaussian process on features of the inputs, trained by its evidence."""

    reads_sequences: ClassVar[bool] = True

    kernel: Kernel = knob(
        "rbf",
        label="Kernel k",
        help="rbf: smooth functions; periodic: repeat themselves; cosine: one wave of "
        "any amplitude and phase; spectral: a mixture of damped waves; linear: with an "
        "intercept.",
    )
    length_scale: float = knob(
        1.0,
        label="Initial length scale ℓ",
        unit="× feature",
        low=1e-3,
        high=1e3,
        log=True,
        help="Distance over which values are correlated; waves begin at the frequency "
        "1/ℓ. Learned from this value on.",
    )
    period: float = knob(
        4.0,
        label="Initial period p",
        unit="× feature",
        low=1e-2,
        high=1e3,
        log=True,
        help="Of the periodic kernel; learned from this value on.",
        advanced=True,
    )
    noise: float = knob(
        0.1,
        label="Initial noise σ",
        low=1e-3,
        high=10.0,
        log=True,
        help="Standard deviation on the targets; learned from this value on.",
    )
    components: int = knob(
        4,
        label="Components",
        unit="waves",
        low=1,
        high=32,
        help="Terms of the spectral mixture.",
        advanced=True,
    )

    @abstractmethod
    def features(self, theta: Weights, tasks: EpisodeBatch) -> tuple[Tensor, Tensor]:
        """Return what the kernel compares, of support and queries.

        Returns:
            Shape (member, feature, example) each.
        """

    def hyperparameters(
        self, size: int, rngs: Sequence[Rng], tasks: EpisodeBatch
    ) -> Weights:
        """Return the initial hyperparameters; shape (replicate, …).

        Args:
            size: Number of features.
            rngs: One stream per replicate.
            tasks: Episodes, for device and dtype.
        """
        start = KernelStart(
            self.length_scale,
            self.period,
            noise=self.noise,
            components=self.components,
        )
        return initial_hyperparameters(self.kernel, start, size, rngs, tasks.support.x)

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Predict by the posterior, without inner steps.

        For classes the outputs are the log probabilities that each class's function is
        above 0; their softmax is each class's share.
        """
        mean, sd = self.posterior(theta, tasks)
        like = tasks.support.x
        if tasks.has_classes:
            outputs = torch.special.log_ndtr(mean / sd.unsqueeze(1))
            yield Prediction(0, outputs.to(like))
            return
        believed = Density(mean.to(like), sd.unsqueeze(1).to(like))
        yield Prediction(0, believed.mean, density=believed)

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the evidence of support and queries together, per target."""
        return outer_gradient(
            meta, tasks, self.evidence_loss, step_context.compile_gradient
        )

    def evidence_loss(self, theta: Weights, tasks: EpisodeBatch) -> Tensor:
        """Return minus the log marginal likelihood of all examples.

        Returns:
            Nats per target; shape (member,).
        """
        support, query = self.features(theta, tasks)
        points, y = support, tasks.support.y
        if not tasks.online:
            # The queries of an online episode are its support: counted once.
            points = torch.cat([support, query], 2)
            y = torch.cat([y, tasks.query.y], 1)
        own, points = to_stable_dtype(theta, points)
        targets = self._center(own, y, tasks)
        prior = covariance(self.kernel, own, points)
        found = log_evidence(prior, noise_variance(own), targets)
        return (-found / targets[0].numel()).to(support)

    def posterior(self, theta: Weights, tasks: EpisodeBatch) -> Posterior:
        """Return mean and standard deviation of each query, the noise included."""
        support, query = self.features(theta, tasks)
        points = support if tasks.online else torch.cat([support, query], 2)
        own, points = to_stable_dtype(theta, points)
        targets = self._center(own, tasks.support.y, tasks)
        predict = condition_on_earlier if tasks.online else condition
        prior = covariance(self.kernel, own, points)
        found = predict(prior, noise_variance(own), targets)
        return found._replace(mean=found.mean + self._offset(own))

    def _center(self, theta: Weights, y: Tensor, tasks: EpisodeBatch) -> Tensor:
        """Return targets minus their mean: values, or 1 for the class and −1."""
        offset = self._offset(theta)
        if tasks.has_classes:
            return 2.0 * one_hot(y, tasks.outputs, offset) - 1.0 - offset
        return y.unsqueeze(2).to(offset) - offset

    def _offset(self, theta: Weights) -> Tensor:
        """Return the prior mean of all targets; shape (member, 1, 1)."""
        return theta[f"{PREFIX}offset"].view(-1, 1, 1)
