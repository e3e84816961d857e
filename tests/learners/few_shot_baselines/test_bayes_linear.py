from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from engine.contract.rng import Rng
from engine.learners.baseline.bayes_linear import SMALLEST, BayesLinear
from engine.nets.mlp import Mlp
from engine.protocol import (
    EpisodeBatch,
    Meta,
    OuterStepContext,
    Prediction,
    Weights,
)
from engine.protocol.member_chunks import broadcast_to_members
from engine.tasks.few_shot.linear_regression import LinearRegression
from tests.learners.clouds import STREAMS, begun, drawn_from

LEARNER = BayesLinear(weight_sd=0.6, noise_sd=0.4)


def lines(tasks: int = 3, **knobs: float) -> EpisodeBatch:
    family = LinearRegression(**{"dimensions": 4, "noise": 0.5, **knobs})
    return drawn_from(family, tasks, Mlp(depth=0))


def predicted(tasks: EpisodeBatch, weights: Weights) -> Prediction:
    (found,) = LEARNER.predict(broadcast_to_members(weights, tasks.members), tasks)
    return found


def step(weights: Weights, tasks: EpisodeBatch, number: int = 0) -> Weights:
    """Return the variances after one meta-step; the first replaces them."""
    context = OuterStepContext(number, 0, 1, STREAMS)
    found = LEARNER.outer(Meta(weights, {}), tasks, context, None)  # type: ignore[arg-type]
    assert found.weights is not None
    return found.weights


def log_likelihood(tasks: EpisodeBatch, weights: Weights) -> float:
    """Return the log marginal likelihood of all supports, by scipy."""
    tau, sigma = (weights[f"{name}_variance"].item() for name in ("weight", "noise"))
    total = 0.0
    for x, y in zip(tasks.support.x.numpy(), tasks.support.y.numpy(), strict=True):
        covariance = tau * x.T @ x + sigma * np.eye(len(y))
        total += multivariate_normal(cov=covariance).logpdf(y)
    return total


def test_its_predictions_are_those_of_a_gaussian_process_with_a_linear_kernel() -> None:
    tasks = lines()
    found = predicted(tasks, begun(LEARNER, tasks))
    assert found.density is not None
    for member in range(3):
        x, asked = tasks.support.x[member].numpy(), tasks.query.x[member].numpy()
        gram = 0.36 * x.T @ x + 0.16 * np.eye(10)
        cross = 0.36 * asked.T @ x @ np.linalg.inv(gram)
        mean = cross @ tasks.support.y[member].numpy()
        spread = 0.36 * asked.T @ asked - cross @ (0.36 * x.T @ asked)
        np.testing.assert_allclose(found.query_outputs[member, 0], mean, atol=1e-12)
        variance = found.density.sd[member, 0].square()
        np.testing.assert_allclose(variance, spread.diagonal() + 0.16, rtol=1e-10)
    assert torch.equal(found.density.mean, found.query_outputs)


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_with_the_true_variances_it_is_the_best_predictor(noise: float) -> None:
    family = LinearRegression(dimensions=4, noise=noise)
    tasks = drawn_from(family, 3, Mlp(depth=0), pool="test")
    true = {"weight_variance": 0.25, "noise_variance": max(noise**2, 1e-10)}
    found = predicted(tasks, {k: torch.tensor([v]) for k, v in true.items()})
    error = tasks.each_loss(found.query_outputs, tasks.query.y).mean(1)
    best = [family.best_error(Rng(11).child(t), "test") for t in range(3)]
    np.testing.assert_allclose(error, best, rtol=1e-5, atol=1e-8)


def test_online_it_answers_each_query_from_the_examples_before_it() -> None:
    tasks = lines(online=True)
    weights = begun(LEARNER, tasks)
    found = predicted(tasks, weights)
    assert found.density is not None
    assert not found.query_outputs[..., 0].any()
    for seen in range(1, 10):
        usual = predicted(tasks.split(seen, seen + 1), weights)
        assert usual.density is not None
        asked = slice(seen, seen + 1)
        mean, sd = found.query_outputs[..., asked], found.density.sd[..., asked]
        torch.testing.assert_close(mean, usual.query_outputs)
        torch.testing.assert_close(sd, usual.density.sd)


def test_online_log_densities_add_up_to_the_marginal_likelihood() -> None:
    tasks = lines(online=True)
    weights = begun(LEARNER, tasks)
    density = predicted(tasks, weights).density
    assert density is not None
    found = density.log_density(tasks.query.y).sum().item()
    assert found == pytest.approx(log_likelihood(tasks, weights), rel=1e-9)


def test_each_step_of_em_makes_the_supports_more_likely() -> None:
    tasks = lines(tasks=20)
    weights = begun(BayesLinear(weight_sd=3.0, noise_sd=2.0), tasks)
    reached = [log_likelihood(tasks, weights)]
    for _ in range(60):
        weights = step(weights, tasks)
        reached.append(log_likelihood(tasks, weights))
    assert (np.diff(reached[:8]) > 0).all()
    assert np.diff(reached).min() > -1e-9  # it has arrived
    # Where it ends, no other variances are more likely.
    for name in weights:
        for factor in (0.97, 1.03):
            moved = weights | {name: weights[name] * factor}
            assert log_likelihood(tasks, moved) < reached[-1]


def test_over_a_stream_of_tasks_it_finds_the_true_variances() -> None:
    weights = begun(BayesLinear(), lines())
    pool = lines(tasks=1500)
    for number in range(60):
        some = pool.take(range(25 * number, 25 * number + 25))
        weights = step(weights, some, number)
    assert weights["weight_variance"].item() == pytest.approx(0.25, rel=0.06)
    assert weights["noise_variance"].item() == pytest.approx(0.25, rel=0.06)


def test_without_noise_the_noise_shrinks_to_the_smallest() -> None:
    tasks = lines(noise=0.0)
    weights = begun(BayesLinear(), tasks)
    for _ in range(60):
        weights = step(weights, tasks)
    assert weights["noise_variance"].item() == pytest.approx(SMALLEST, rel=1e-5)
    found = predicted(tasks, weights)
    assert found.density is not None and found.density.sd.isfinite().all()
    torch.testing.assert_close(
        found.query_outputs[:, 0], tasks.query.y, rtol=0, atol=1e-5
    )


def test_each_replicate_has_variances_of_its_own() -> None:
    one, two = lines(tasks=4), lines(tasks=4, noise=2.0)
    both = replace(
        one,
        replicates=2,
        support=replace(
            one.support,
            x=torch.cat([one.support.x, two.support.x]),
            y=torch.cat([one.support.y, two.support.y]),
        ),
        query=replace(
            one.query,
            x=torch.cat([one.query.x, two.query.x]),
            y=torch.cat([one.query.y, two.query.y]),
        ),
    )
    start = begun(LEARNER, one)
    found = step({k: v.repeat(2) for k, v in start.items()}, both)
    for name, value in found.items():
        expected = torch.cat([step(start, some)[name] for some in (one, two)])
        torch.testing.assert_close(value, expected)
