"""PLATIPUS against MAML, its prior, and torch's own divergence."""

from dataclasses import replace

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from engine.algorithms.few_shot.inner_loop import adapt_weights
from engine.algorithms.few_shot.inner_rules import sgd
from engine.learners.bayes import platipus
from engine.learners.bayes.platipus import Platipus, divergence, log_deviation
from engine.learners.gradient.maml import Maml
from engine.protocol import Weights
from engine.protocol.member_chunks import broadcast_to_members
from tests.learners.gradient.made import classes, meta_gradient, meta_step, sines, start

HOW = {"inner_lr": 0.1, "inner_steps": 2}
RATES = {"prior_rate": 0.0, "posterior_rate": 0.0, "divergence_weight": 0.0}


def at_deviation(weights: Weights, raw: float) -> Weights:
    """Return meta-weights whose deviations are all learned to one number."""
    return {
        n: torch.full_like(v, raw) if "_sd." in n else v for n, v in weights.items()
    }


@pytest.mark.parametrize("tasks", [sines(), classes()], ids=["values", "classes"])
def test_without_deviation_and_prior_step_it_is_maml(
    tasks: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A deviation of exp(−90) is lost in the weights' own rounding.
    monkeypatch.setattr(platipus, "LOWEST", -90.0)
    learner, maml = Platipus(particles=2, **HOW, **RATES), Maml(**HOW)
    theta = at_deviation(start(learner, tasks), 60.0)
    net = {name: theta[name] for name in tasks.layout.names}
    mine = meta_gradient(learner, tasks, theta)
    for name, grad in meta_gradient(maml, tasks, net).items():
        assert torch.equal(mine[name], grad)
    for one, other in zip(
        learner.predict(broadcast_to_members(theta, 6), tasks),
        maml.predict(broadcast_to_members(net, 6), tasks),
        strict=True,
    ):
        found, wanted = one.query_outputs, other.query_outputs
        if tasks.has_classes:
            wanted = wanted.log_softmax(1)
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)


def test_the_divergence_is_that_of_torch() -> None:
    draw = torch.Generator().manual_seed(1)
    one, two, three, four = torch.randn(4, 2, 3, 5, generator=draw, dtype=torch.float64)
    q = Independent(Normal(one, two.exp()), 2)
    p = Independent(Normal(three, four.exp()), 2)
    torch.testing.assert_close(divergence(one, two, three, four), kl_divergence(q, p))


def test_the_loss_is_that_of_a_sample_of_q_and_its_divergence_from_the_prior() -> None:
    """Written down anew, with the distributions and the moves of the paper."""
    tasks = sines()
    learner = Platipus(
        prior_rate=0.03, posterior_rate=0.02, divergence_weight=0.7, **HOW
    )
    theta = start(learner, tasks)
    theta = at_deviation(theta, 0.4) | {
        n: torch.full_like(v, -0.2) for n, v in theta.items() if "prior_sd." in n
    }
    seen: list[Weights] = []
    original = platipus.standard_normals
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            platipus,
            "standard_normals",
            lambda *given: seen.append(original(*given)) or seen[-1],
        )
        found = meta_step(learner, tasks, theta).info["lesson_loss"]
    every = broadcast_to_members(theta, 6)
    net = {n: every[n] for n in tasks.layout.names}
    asked = replace(tasks, support=tasks.query)
    q = adapt_weights(asked, net, sgd(0.02), 1)
    p = adapt_weights(tasks, net, sgd(0.03), 1)
    sd_q, sd_p = (
        log_deviation(torch.tensor(raw, dtype=torch.float64)).exp().item()
        for raw in (0.4, -0.2)
    )
    start_at = {n: (q[n] + sd_q * seen[0][n]).detach() for n in net}
    loss = tasks.loss(adapt_weights(tasks, start_at, sgd(0.1), 2), tasks.query)
    total = sum(
        kl_divergence(Normal(q[n], sd_q), Normal(p[n], sd_p)).flatten(1).sum(1)
        for n in net
    )
    wanted = loss + 0.7 * 2.0 * 1.0 / 5 * total
    torch.testing.assert_close(found, wanted.view(2, 3).mean(1).detach())


def test_samples_start_around_the_prior_given_the_support() -> None:
    tasks = sines()
    learner = Platipus(particles=100, prior_rate=0.05, deviation=0.2)
    theta = broadcast_to_members(start(learner, tasks), 6)
    starts = learner.adaptation(theta, tasks).start
    net = {n: theta[n] for n in tasks.layout.names}
    mean = adapt_weights(tasks, net, sgd(0.05), 1)
    z = torch.cat(
        [
            ((starts[n].unflatten(0, (6, 100)) - mean[n].unsqueeze(1)) / 0.2).flatten(2)
            for n in net
        ],
        2,
    ).detach()
    assert torch.equal(z[0] > 0, z[2] > 0), "tasks of a replicate share their draws"
    assert not torch.equal(z[0] > 0, z[3] > 0), "replicates do not"
    assert abs(z[::3].mean().item()) < 0.05
    assert z[::3].std().item() == pytest.approx(1.0, abs=0.03)


def test_more_samples_leave_the_earlier_ones_as_they_were() -> None:
    tasks = sines()
    theta = broadcast_to_members(start(Platipus(), tasks), 6)
    few, many = (
        Platipus(particles=count).adaptation(theta, tasks).start["w0"]
        for count in (2, 5)
    )
    assert torch.equal(few.unflatten(0, (6, 2)), many.unflatten(0, (6, 5))[:, :2])


def test_every_task_of_a_meta_step_has_a_draw_of_its_own() -> None:
    tasks = sines()
    learner = Platipus(**HOW)
    theta = at_deviation(start(learner, tasks), -1.0)
    one = meta_step(learner, tasks.take([0, 0]), {n: v[:1] for n, v in theta.items()})
    few = meta_step(learner, tasks.take([0]), {n: v[:1] for n, v in theta.items()})
    assert not torch.equal(one.info["lesson_loss"], few.info["lesson_loss"])


def test_the_weight_of_the_divergence_rises_and_stays() -> None:
    tasks, learner = sines(), Platipus(rise=0.5, divergence_weight=2.0, **HOW)
    theta = start(learner, tasks)
    at = [
        meta_step(learner, tasks, theta, done).info["lesson_loss"]
        for done in (0.0, 0.25, 0.5, 1.0)
    ]
    torch.testing.assert_close(at[1] - at[0], (at[2] - at[0]) / 2)
    torch.testing.assert_close(at[3], at[2])
    assert (at[2] > at[0]).all()


def test_the_key_of_the_draws_outlives_any_outer_rule() -> None:
    tasks, learner = sines(), Platipus(**HOW)
    theta = start(learner, tasks)
    found = meta_step(learner, tasks, theta).statistics
    assert found is not None and torch.equal(found["draws"], theta["draws"])


def test_a_deviation_starts_where_its_knob_says() -> None:
    theta = start(Platipus(deviation=0.25), sines(), 0.0)
    assert log_deviation(theta["prior_sd.w0"]).exp().mean().item() == pytest.approx(
        0.25
    )
