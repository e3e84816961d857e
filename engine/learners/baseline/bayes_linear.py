"""Bayesian linear regression: the posterior of a linear function in closed form.

Source: Bishop (2006), Pattern Recognition and Machine Learning, equations 3.49 to 3.51
for the posterior, 3.58 and 3.59 for the predictive density, section 9.3.4 for EM; Cappé
and Moulines (2009), arXiv:0712.4273, for EM on a stream of tasks.
Differs: the variances of weights and noise are those that make the supports of
meta-training most likely, by one step of EM for each meta-step; the posterior is
updated example by example, which is the same as all at once. It reads raw inputs, has
no intercept, and never uses the run's net.
Helps: as the optimal predictor of linear tasks with Gaussian weights and noise: what a
learner of linear regression can reach, and how sure it may be.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.contract.parts import knob
from engine.contract.registry import register
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
    square_root,
)
from engine.protocol.member_chunks import broadcast_to_members

# Without noise, EM halves the variance again and again; this keeps it above 0.
SMALLEST = 1e-8
DECAY = 0.6  # of EM's steps: above 1/2, so that their noise averages out


class Posterior(NamedTuple):
    """A normal distribution of each member's weights.

    Args:
        mean: Shape (member, feature).
        covariance: Shape (member, feature, feature).
    """

    mean: Tensor
    covariance: Tensor


@register("learner")
class BayesLinear(FewShotLearner):
    """p(y | x, S) = N(mᵀ x, xᵀ C x + σ²) for y = wᵀ x + σ n, w ~ N(0, τ² I)."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "Bayes linear"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    # Validation compares squared errors, which do not tell the right variance.
    keeps_last: ClassVar[bool] = True
    reads_sequences: ClassVar[bool] = True
    answers: ClassVar[tuple[str, ...]] = ("value",)

    weight_sd: float = knob(
        1.0,
        label="Initial weight spread τ",
        low=1e-3,
        high=1e3,
        log=True,
        help="Prior standard deviation of each weight before meta-training.",
    )
    noise_sd: float = knob(
        0.1,
        label="Initial noise σ",
        low=1e-4,
        high=1e3,
        log=True,
        help="Standard deviation of the targets' noise before meta-training.",
    )

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Start all replicates with the knobs' variances."""
        assert isinstance(tasks, EpisodeBatch)
        start = {"weight": self.weight_sd, "noise": self.noise_sd}
        like = tasks.support.x
        weights = {
            f"{name}_variance": like.new_full((len(rngs),), sd**2)
            for name, sd in start.items()
        }
        return Meta(weights, {})

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Predict with the posterior after the examples that a query may use."""
        mean, variance, _ = _read_support(theta, tasks)
        mean, sd = (
            value.to(tasks.query.x.dtype).unsqueeze(1)
            for value in (mean, square_root(variance))
        )
        yield Prediction(0, mean, density=Density(mean, sd))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Move the variances toward what the posteriors of these tasks expect."""
        assert isinstance(tasks, EpisodeBatch)
        theta = broadcast_to_members(meta.weights, tasks.members)
        mean, _, posterior = _read_support(theta, tasks)
        loss = (mean - tasks.query.y).square().mean(1)
        rate = (step_context.step + 1.0) ** -DECAY
        weights = {}
        for name, expected in _expected_squares(posterior, tasks).items():
            old, by_replicate = meta.weights[name], _average(expected, tasks)
            new = old + rate * (by_replicate.to(old.dtype) - old)
            weights[name] = new.clamp(min=SMALLEST)
        return Outer(meta.memory, {"lesson_loss": _average(loss, tasks)}, None, weights)


def _read_support(
    theta: Weights, tasks: EpisodeBatch
) -> tuple[Tensor, Tensor, Posterior]:
    """Update the posterior example by example, and predict the queries.

    Args:
        theta: Variances of each member; shape (member,).
        tasks: The episodes.

    Returns:
        Mean and variance of the queries' targets, (member, query) each, and the
        posterior after all examples; in float64 where the device has it.
    """
    x, y, asked = (_widen(t) for t in (tasks.support.x, tasks.support.y, tasks.query.x))
    noise = theta["noise_variance"].to(x.dtype).unsqueeze(1)
    prior = theta["weight_variance"].to(x.dtype).view(-1, 1, 1)
    eye = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    posterior = Posterior(torch.zeros_like(x[..., 0]), prior * eye)
    before = []
    for i in range(tasks.support.count):
        example = x[..., i : i + 1]
        before.append(_predict(posterior, example, noise))
        posterior = _update(posterior, example, y[:, i : i + 1], before[-1])
    if tasks.online:
        # A query is an example of the support, predicted before its target was known.
        mean, variance = (torch.cat(found, 1) for found in zip(*before, strict=True))
        return mean, variance, posterior
    return *_predict(posterior, asked, noise), posterior


def _predict(posterior: Posterior, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance of the targets of some inputs; (member, input) each."""
    mean = (posterior.mean.unsqueeze(1) @ x).squeeze(1)
    return mean, (x * (posterior.covariance @ x)).sum(1) + noise


def _update(
    posterior: Posterior, x: Tensor, y: Tensor, predicted: tuple[Tensor, Tensor]
) -> Posterior:
    """Return the posterior after one more example, as in a Kalman filter.

    Args:
        posterior: The belief before it.
        x: The input; shape (member, feature, 1).
        y: Its target; shape (member, 1).
        predicted: Mean and variance of the target before it was known.
    """
    mean, variance = predicted
    spread = (posterior.covariance @ x).squeeze(2)
    gain = spread / variance
    return Posterior(
        posterior.mean + gain * (y - mean),
        posterior.covariance - gain.unsqueeze(2) * spread.unsqueeze(1),
    )


def _expected_squares(posterior: Posterior, tasks: EpisodeBatch) -> Weights:
    """Return each member's mean squared weight and noise under its posterior."""
    x, y = _widen(tasks.support.x), _widen(tasks.support.y)
    weight = posterior.mean.square() + posterior.covariance.diagonal(dim1=1, dim2=2)
    # Noise counted as 0 here: the variance of wᵀ x is that of the weights alone.
    mean, variance = _predict(posterior, x, x.new_zeros(()))
    noise = (y - mean).square() + variance
    return {"weight_variance": weight.mean(1), "noise_variance": noise.mean(1)}


def _average(values: Tensor, tasks: EpisodeBatch) -> Tensor:
    """Return the mean over each replicate's tasks; (member,) → (replicate,)."""
    return values.view(tasks.replicates, -1).mean(1)


def _widen(values: Tensor) -> Tensor:
    """Return values in float64; Apple's GPUs (mps) have none."""
    return values if values.device.type == "mps" else values.double()
