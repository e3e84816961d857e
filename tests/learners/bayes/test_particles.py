"""Ensembles and Bayesian MAML against MAML, and against their own definitions."""

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, Normal

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.algorithms.few_shot.particles import (
    expected_variance,
    join_queries,
    mix_predictions,
    mixture_density,
    repeat_episodes,
    update_noise,
)
from engine.algorithms.few_shot.stein_gradient import stein_descent
from engine.learners.bayes import bayesian_maml
from engine.learners.bayes.bayesian_maml import BayesianMaml
from engine.learners.bayes.maml_ensemble import MamlEnsemble
from engine.learners.bayes.platipus import Platipus
from engine.learners.gradient.maml import Maml
from engine.protocol import Density, EpisodeBatch, Meta, Prediction, Weights
from engine.protocol.member_chunks import broadcast_to_members
from tests.learners.gradient.made import (
    classes,
    learned_together,
    meta_gradient,
    meta_step,
    sines,
    start,
)

RATE = 0.1
HOW = {"inner_lr": RATE, "inner_steps": 2}


def shaken(learner: FewShotLearner, tasks: EpisodeBatch) -> Weights:
    """Return the learner's start, every net moved so that no bias is 0."""
    weights = start(learner, tasks)
    draw = torch.Generator().manual_seed(6)
    return {
        n: v + 0.3 * torch.randn(v.shape, generator=draw, dtype=v.dtype)
        if n.startswith("particles.")
        else v
        for n, v in weights.items()
    }


def only_particle(weights: Weights, number: int = 0) -> Weights:
    """Return one particle's net under the net's own names."""
    return {
        name.removeprefix("particles."): value[:, number]
        for name, value in weights.items()
        if name.startswith("particles.")
    }


@pytest.mark.parametrize(
    "learner",
    [MamlEnsemble(particles=1, **HOW), BayesianMaml(particles=1, chaser=False, **HOW)],
    ids=lambda part: part.name,
)
def test_one_particle_is_maml_bit_for_bit(learner: FewShotLearner) -> None:
    tasks, maml = sines(), Maml(**HOW)
    theta = shaken(learner, tasks)
    mine = meta_gradient(learner, tasks, theta)
    for name, grad in meta_gradient(maml, tasks, only_particle(theta)).items():
        assert torch.equal(mine[f"particles.{name}"][:, 0], grad)
    for one, other in zip(
        learner.predict(broadcast_to_members(theta, 6), tasks),
        maml.predict(broadcast_to_members(only_particle(theta), 6), tasks),
        strict=True,
    ):
        assert torch.equal(one.query_outputs, other.query_outputs)
        assert torch.equal(one.distance, other.distance)


def test_an_untrained_ensemble_begins_with_the_start_of_maml() -> None:
    tasks = sines()
    first = only_particle(start(MamlEnsemble(particles=2), tasks, 0.0))
    for name, value in start(Maml(), tasks, 0.0).items():
        assert torch.equal(first[name], value)
    other = only_particle(start(MamlEnsemble(particles=2), tasks, 0.0), 1)
    assert not torch.equal(other["w0"], first["w0"])


def test_each_net_of_an_ensemble_has_the_gradient_of_its_own_maml() -> None:
    tasks, learner = sines(), MamlEnsemble(particles=3, **HOW)
    theta = shaken(learner, tasks)
    together = meta_gradient(learner, tasks, theta)
    for number in range(3):
        alone = meta_gradient(Maml(**HOW), tasks, only_particle(theta, number))
        for name, grad in alone.items():
            found = together[f"particles.{name}"][:, number]
            torch.testing.assert_close(found, grad, rtol=0, atol=1e-12)


def test_one_chasing_particle_descends_support_and_queries_by_twice_the_rate() -> None:
    """‖φ − (φ − α g)‖² with g held fixed has the gradient 2 α g · dφ/dθ."""
    tasks, learner = sines(), BayesianMaml(particles=1, **HOW)
    theta = shaken(learner, tasks)
    both = learned_together(tasks).support
    asked = tasks.__class__(**{**vars(tasks), "query": both})
    wanted = meta_gradient(Maml(**HOW), asked, only_particle(theta))
    found = meta_gradient(learner, tasks, theta)
    for name, grad in wanted.items():
        mine = found[f"particles.{name}"][:, 0]
        torch.testing.assert_close(mine, 2 * RATE * grad, rtol=0, atol=1e-12)


def assert_slope(learner: FewShotLearner, tasks: EpisodeBatch, theta: Weights) -> None:
    """Compare the outer gradient with finite differences of its own loss."""
    grads = meta_gradient(learner, tasks, theta)
    draw = torch.Generator().manual_seed(4)
    moving = [n for n in theta if n not in ("noise_variance", "draws")]
    for _ in range(2):
        way = {
            n: torch.randn(theta[n].shape, generator=draw, dtype=theta[n].dtype)
            for n in moving
        }
        up, down = (
            meta_step(
                learner, tasks, theta | {n: theta[n] + s * way[n] for n in moving}
            ).info["lesson_loss"]
            for s in (1e-6, -1e-6)
        )
        slope = sum((grads[n] * way[n]).view(2, -1).sum(1) for n in moving)
        torch.testing.assert_close(slope, (up - down) / 2e-6, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("tasks", [sines(), classes()], ids=["values", "classes"])
@pytest.mark.parametrize(
    "learner",
    [BayesianMaml(particles=3, chaser=False, **HOW), Platipus(prior_rate=0.05, **HOW)],
    ids=lambda part: part.name,
)
def test_the_outer_gradient_is_the_slope_of_the_loss(
    learner: FewShotLearner, tasks: EpisodeBatch
) -> None:
    assert_slope(learner, tasks, shaken(learner, tasks))


def test_the_chaser_follows_a_leader_that_stands_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tasks, learner = sines(), BayesianMaml(particles=3, leader_steps=2, **HOW)
    theta, led = shaken(learner, tasks), []
    lead = bayesian_maml.adapt_weights

    def lead_once(*given: object) -> Weights:
        led.append(lead(*given))  # type: ignore[arg-type]
        return led[0]

    monkeypatch.setattr(bayesian_maml, "adapt_weights", lead_once)
    assert_slope(learner, tasks, theta)
    assert not torch.equal(led[0]["w0"], led[1]["w0"]), "the leader depends on θ"


LEARNERS = [
    MamlEnsemble(particles=2, **HOW),
    BayesianMaml(particles=2, **HOW),
    Platipus(**HOW),
]


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda part: part.name)
def test_chunks_of_members_change_nothing(
    learner: FewShotLearner, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = sines()
    theta = shaken(learner, tasks)
    whole = meta_step(learner, tasks, theta)
    monkeypatch.setattr(type(tasks.net), "chunk", 2)
    found = meta_step(learner, tasks, theta)
    for one, two in ((whole.grads, found.grads), (whole.statistics, found.statistics)):
        assert one is not None and two is not None and one.keys() == two.keys()
        for name, value in one.items():
            torch.testing.assert_close(two[name], value, rtol=0, atol=1e-12)


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda part: part.name)
def test_a_head_for_other_ways_is_refused_with_a_reason(
    learner: FewShotLearner,
) -> None:
    weights = start(learner, classes(ways=3))
    assert "3 ways" in str(learner.why_not(Meta(weights, {}), classes(ways=2)))
    assert not learner.why_not(Meta(weights, {}), classes(ways=3))


def test_a_mixture_of_classes_is_the_mean_of_probabilities() -> None:
    draw = torch.Generator().manual_seed(2)
    out = torch.randn(6, 4, 5, generator=draw, dtype=torch.float64)
    found = mix_predictions(Prediction(0, out), 3, None)
    wanted = out.softmax(1).view(2, 3, 4, 5).mean(1)
    torch.testing.assert_close(found.query_outputs.softmax(1), wanted)
    torch.testing.assert_close(found.query_outputs.exp(), wanted)
    assert found.density is None


def test_the_noise_that_is_learned_has_the_highest_likelihood() -> None:
    draw = torch.Generator().manual_seed(2)
    y = torch.randn(1, 400, generator=draw, dtype=torch.float64)
    means = torch.randn(1, 3, 1, 400, generator=draw, dtype=torch.float64)

    def likelihood(variance: Tensor) -> Tensor:
        return mixture_density(means, variance).log_density(y).mean()

    variance = torch.ones(1, dtype=torch.float64)
    for _ in range(200):
        variance = expected_variance(mixture_density(means, variance), y)
    best = likelihood(variance)
    assert best > likelihood(1.02 * variance) and best > likelihood(variance / 1.02)
    assert 0.3 < variance.item() < 2.0


def test_noise_moves_a_tenth_of_the_way_and_never_to_a_number_that_is_none() -> None:
    weights = {"noise_variance": torch.tensor([1.0, 2.0, 1e-6])}
    seen = [torch.tensor([3.0, 5.0, 1.0]), torch.tensor([torch.nan, 0.0, 0.0])]
    found = update_noise(weights, seen, 3)["noise_variance"]
    torch.testing.assert_close(found, torch.tensor([1.3, 2.0, 1e-6]))


def test_the_density_has_a_normal_around_each_particle() -> None:
    tasks, learner = sines(), LEARNERS[1]
    theta = broadcast_to_members(shaken(learner, tasks), 6)
    theta["noise_variance"] = theta["noise_variance"] * torch.arange(1.0, 7.0)
    *_, last = learner.predict(theta, tasks)
    assert isinstance(last.density, Density) and last.density.mean.shape == (6, 2, 5)
    torch.testing.assert_close(last.density.mean.mean(1), last.query_outputs[:, 0])
    wanted = torch.arange(1.0, 7.0, dtype=torch.float64).sqrt()
    torch.testing.assert_close(last.density.sd[:, 1, 3], wanted)


def test_the_spread_of_particles_is_that_of_their_predictions() -> None:
    tasks, learner = sines(), BayesianMaml(particles=3, **HOW)
    theta = shaken(learner, tasks)
    found = learner.inspect(Meta(theta, {}), tasks)["particle_spread"].values
    *_, last = learner.predict(broadcast_to_members(theta, 6), tasks)
    at = next(
        p for p in learner.predict(broadcast_to_members(theta, 6), tasks) if p.step == 2
    )
    assert at.density is not None and last.step == 3
    wanted = at.density.mean.std(1, correction=0).view(2, -1).mean(1)
    torch.testing.assert_close(found, wanted)
    alike = {n: v[:, :1].expand_as(v) if "." in n else v for n, v in theta.items()}
    none = learner.inspect(Meta(alike, {}), tasks)["particle_spread"].values
    torch.testing.assert_close(none, torch.zeros_like(none))


def test_support_and_queries_are_joined_in_this_order() -> None:
    tasks = sines()
    both = join_queries(tasks).support
    assert torch.equal(both.x[..., :6], tasks.support.x)
    assert torch.equal(both.y[..., 6:], tasks.query.y)


@pytest.mark.parametrize("tasks", [sines(), classes()], ids=["values", "classes"])
def test_a_step_of_bayesian_maml_is_a_stein_step_on_the_posterior(
    tasks: EpisodeBatch,
) -> None:
    learner = BayesianMaml(particles=3, inner_lr=RATE)
    theta = broadcast_to_members(shaken(learner, tasks), 6)
    theta |= {} if tasks.has_classes else {"noise_variance": torch.full((6,), 0.4)}
    many = repeat_episodes(tasks, 3)
    before, after = (s.weights for s in learner.adaptation(theta, tasks).steps(many, 1))
    leaves = {n: v.detach().requires_grad_() for n, v in before.items()}
    out, y = many.answer(leaves, many.support), many.support.y
    count, scale = many.support.count, 1.0 if tasks.has_classes else 2.0 * 0.4
    if tasks.has_classes:
        likelihood = Categorical(logits=out.mT).log_prob(y).sum()
    else:
        likelihood = Normal(out[:, 0], 0.4**0.5).log_prob(y).sum()
    found = torch.autograd.grad(-likelihood, list(leaves.values()))
    rule = stein_descent(RATE * scale / count, 3, torch.ones(6, dtype=torch.float64))
    wanted = rule(0, before, dict(zip(leaves, found, strict=True)))
    for name, value in wanted.items():
        torch.testing.assert_close(after[name], value, rtol=0, atol=1e-7)
