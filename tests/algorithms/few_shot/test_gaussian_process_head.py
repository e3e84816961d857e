"""Gaussian processes, held against scikit-learn and against the definition."""

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    ExpSineSquared,
    Kernel,
)
from torch import Tensor

from engine.algorithms.few_shot.gaussian_process_head import (
    NOISE_FLOOR,
    SPEED,
    KernelStart,
    condition,
    condition_on_earlier,
    covariance,
    factorize,
    initial_hyperparameters,
    log_evidence,
    noise_variance,
)
from engine.contract.rng import Rng
from engine.learners.baseline.gp_regression import GpRegression
from engine.protocol import EpisodeBatch, ExampleBatch, Weights
from engine.protocol.member_chunks import broadcast_to_members
from tests.learners.clouds import answered, begun, clouds, slope, waves

START = KernelStart(length=0.7, period=2.5, amplitude=1.5, noise=0.2, components=3)
TRUTH: dict[str, Callable[[], Kernel]] = {
    "rbf": lambda: RBF(0.7),
    "periodic": lambda: ExpSineSquared(0.7, 2.5),
    "linear": lambda: DotProduct(1.0),
}


def points(features: int = 1, count: int = 9) -> tuple[Tensor, Tensor]:
    """Draw points and targets of two members in float64."""
    draw = torch.Generator().manual_seed(features)
    x = torch.randn(2, features, count, generator=draw, dtype=torch.float64)
    return x, torch.randn(2, count, 1, generator=draw, dtype=torch.float64)


def start_of(kernel: str, features: int = 1) -> Weights:
    """Return the hyperparameters of two members."""
    rngs = [Rng(1), Rng(2)]
    like = torch.zeros((), dtype=torch.float64)
    return initial_hyperparameters(kernel, START, features, rngs, like)  # type: ignore[arg-type]


@pytest.mark.parametrize("kernel", TRUTH)
def test_mean_doubt_and_evidence_are_those_of_scikit_learn(kernel: str) -> None:
    # scikit-learn's periodic kernel is of the distance, ours a product over inputs.
    theta = start_of(kernel, features := 1 if kernel == "periodic" else 3)
    x, y = points(features)
    noise = noise_variance(theta)
    prior = covariance(kernel, theta, x)  # type: ignore[arg-type]
    found = condition(prior, noise, y[:, :6])
    evidence = log_evidence(prior, noise, y)
    for member in range(2):
        points_, targets = x[member].T.numpy(), y[member, :, 0].numpy()
        process = ConstantKernel(1.5**2) * TRUTH[kernel]()
        truth = GaussianProcessRegressor(
            process, alpha=0.2**2 + NOISE_FLOOR, optimizer=None
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            truth.fit(points_[:6], targets[:6])
            mean, sd = truth.predict(points_[6:], return_std=True)
            whole = truth.fit(points_, targets).log_marginal_likelihood_value_
        noisy = np.sqrt(sd**2 + 0.2**2 + NOISE_FLOOR)
        np.testing.assert_allclose(found.mean[member, 0], mean, atol=1e-8)
        np.testing.assert_allclose(found.sd[member], noisy, atol=1e-8)
        np.testing.assert_allclose(evidence[member], whole, atol=1e-8)


@pytest.mark.parametrize("kernel", ["cosine", "spectral"])
def test_waves_are_as_they_are_defined(kernel: str) -> None:
    theta, (x, _) = start_of(kernel, 2), points(2)
    theta["gp.share"] = torch.tensor([[0.0, 0.1, 0.2]] * 2, dtype=torch.float64)
    found = covariance(kernel, theta, x)  # type: ignore[arg-type]
    terms = theta["gp.frequency"].shape[1]
    share = torch.softmax(SPEED * theta["gp.share"][0, :terms], 0)
    for i, j in ((0, 0), (1, 5), (8, 3)):
        gap = x[0, :, i] - x[0, :, j]
        wave = torch.cos(theta["gp.frequency"][0] @ gap)
        if kernel == "spectral":
            wave = wave * torch.exp(-0.5 * gap.square().sum() * (0.5 / 0.7) ** 2)
        assert found[0, i, j].item() == pytest.approx(1.5**2 * float(share @ wave))


@pytest.mark.parametrize("kernel", ["rbf", "periodic", "cosine", "spectral", "linear"])
def test_every_kernel_is_a_covariance(kernel: str) -> None:
    theta, (x, _) = start_of(kernel, 4), points(4)
    matrix = covariance(kernel, theta, x)  # type: ignore[arg-type]
    torch.testing.assert_close(matrix, matrix.mT)
    assert np.linalg.eigvalsh(matrix.numpy()).min() > -1e-10


def test_one_step_ahead_is_the_posterior_of_each_prefix() -> None:
    theta, (x, y) = start_of("rbf"), points()
    noise, prior = noise_variance(theta), covariance("rbf", theta, x)
    ahead = condition_on_earlier(prior, noise, y)
    for seen in range(1, 9):
        one = condition(prior[:, : seen + 1, : seen + 1], noise, y[:, :seen])
        torch.testing.assert_close(one.mean[..., 0], ahead.mean[..., seen])
        torch.testing.assert_close(one.sd[:, 0], ahead.sd[:, seen])
    assert (ahead.mean[..., 0] == 0).all()


def test_no_bit_of_a_prediction_depends_on_its_own_target_or_later_ones() -> None:
    theta, (x, y) = start_of("rbf"), points()
    noise, prior = noise_variance(theta), covariance("rbf", theta, x)
    ahead = condition_on_earlier(prior, noise, y)
    for place in range(9):
        other = y.clone()
        other[:, place:] += 100.0 / 3.0
        found = condition_on_earlier(prior, noise, other)
        seen = slice(place + 1)
        assert torch.equal(found.mean[..., seen], ahead.mean[..., seen])


def test_evidence_is_the_sum_of_one_step_ahead_log_densities() -> None:
    theta, (x, y) = start_of("rbf"), points()
    noise, prior = noise_variance(theta), covariance("rbf", theta, x)
    ahead = condition_on_earlier(prior, noise, y)
    normal = torch.distributions.Normal(ahead.mean[:, 0], ahead.sd)
    each = normal.log_prob(y[..., 0]).sum(1)
    torch.testing.assert_close(log_evidence(prior, noise, y), each)


def test_a_matrix_without_a_factor_gives_nan_to_its_member_only() -> None:
    good = torch.eye(3).expand(2, 3, 3).clone()
    good[1, 0, 0] = -1.0
    assert factorize(good).isfinite().flatten(1).all(1).tolist() == [True, False]


def test_noise_that_dominates_leaves_the_prior() -> None:
    tasks = waves()
    weights = begun(GpRegression(noise=10.0), tasks)
    weights["gp.noise"] = weights["gp.noise"] + 1.0
    weights["gp.offset"] = weights["gp.offset"] + 0.7
    found = answered(GpRegression(), tasks, weights)
    torch.testing.assert_close(found, torch.full_like(found, 0.7), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["gp.amplitude", "gp.noise", "gp.length", "gp.offset"])
@pytest.mark.parametrize("draw", [clouds, waves])
def test_the_gradient_is_that_of_the_evidence(
    name: str, draw: Callable[[], EpisodeBatch]
) -> None:
    tasks, learner = draw(), GpRegression()
    weights = begun(learner, tasks)

    def loss(theta: Weights) -> float:
        own = broadcast_to_members(theta, tasks.members)
        return learner.evidence_loss(own, tasks).mean().item()

    found, expected = slope(learner, weights, tasks, name, loss)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("draw", [clouds, waves])
def test_the_loss_is_the_joint_normal_of_all_targets_for_each_target(
    draw: Callable[[], EpisodeBatch],
) -> None:
    tasks = draw()
    theta = broadcast_to_members(begun(GpRegression(), tasks), tasks.members)
    x = torch.cat([tasks.support.x, tasks.query.x], 2)
    y = torch.cat([tasks.support.y, tasks.query.y], 1)
    noise = (0.1**2 + NOISE_FLOOR) * torch.eye(x.shape[2], dtype=x.dtype)
    matrix = (-0.5 * torch.cdist(x.mT, x.mT).square()).exp() + noise
    normal = torch.distributions.MultivariateNormal(torch.zeros_like(x[:, 0]), matrix)
    signs = [y]
    if tasks.has_classes:
        signs = [torch.where(y == way, 1.0, -1.0).to(x) for way in range(tasks.outputs)]
    expected = -sum(normal.log_prob(each) for each in signs) / (y.shape[1] * len(signs))
    torch.testing.assert_close(GpRegression().evidence_loss(theta, tasks), expected)


def test_the_cosine_kernel_fits_a_wave_of_its_frequency() -> None:
    x = torch.linspace(-5, 5, 25, dtype=torch.float64).view(1, 1, -1)
    y = 3.0 * torch.sin(x[:, 0] + 0.4)
    tasks = replace(
        waves(1),
        support=ExampleBatch(x[..., ::8], y[:, ::8]),
        query=ExampleBatch(x, y),
    )
    learner = GpRegression(kernel="cosine", noise=1e-3)
    found = answered(learner, tasks)[:, 0]
    torch.testing.assert_close(found, y, rtol=0, atol=1e-4)
