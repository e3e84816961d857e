"""What must be the same, whatever the numbers are."""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from engine.algorithms.few_shot.implicit_gradients import proximal_sgd
from engine.algorithms.few_shot.inner_loop import adapt_weights
from engine.algorithms.few_shot.inner_rules import sgd
from engine.algorithms.few_shot.outer_gradient import outer_gradient
from engine.learners.gradient.anil import Anil
from engine.learners.gradient.cavia import Cavia
from engine.learners.gradient.clustered_maml import ClusteredMaml
from engine.learners.gradient.fomaml import Fomaml
from engine.learners.gradient.imaml import Imaml
from engine.learners.gradient.maml import Maml
from engine.learners.gradient.maml_plus import MamlPlus
from engine.learners.gradient.meta_sgd import MetaSgd
from engine.learners.gradient.reptile import Reptile
from engine.learners.gradient.t_net import TNet
from engine.learners.optimizer.meta_lstm import MetaLstm
from engine.nets.mlp import Mlp
from engine.protocol import EpisodeBatch, Learner, Meta, Weights
from engine.protocol.member_chunks import chunks
from tests.learners.gradient.made import (
    classes,
    joined,
    learned_together,
    mean_gradient,
    meta_gradient,
    meta_step,
    sines,
    start,
)

RATE = 0.1


class Pair(NamedTuple):
    one: Learner
    other: Learner
    steps: int


def plus(steps: int, **knobs: object) -> MamlPlus:
    return MamlPlus(inner_lr=RATE, inner_steps=steps, first_order_share=0.0, **knobs)


def gap(one: Weights, two: Weights, tasks: EpisodeBatch) -> float:
    return float((joined(one, tasks) - joined(two, tasks)).abs().max())


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize(
    "other",
    [
        lambda k: MetaSgd(inner_lr=RATE, inner_steps=k, start="constant"),
        lambda k: TNet(inner_lr=RATE, inner_steps=k),
        lambda k: plus(k, multi_step_share=0.0),
        lambda k: plus(k, multi_step_share=0.0, learned_rates=False),
    ],
    ids=["meta_sgd", "t_net", "maml_plus", "maml_plus_fixed"],
)
def test_with_what_they_add_switched_off_they_are_maml(
    other: object, steps: int
) -> None:
    tasks = sines()
    maml, same = Maml(inner_lr=RATE, inner_steps=steps), other(steps)  # type: ignore
    theta = start(maml, tasks)
    theirs = start(same, tasks)
    one = meta_gradient(maml, tasks, theta)
    assert gap(one, meta_gradient(same, tasks, theirs), tasks) < 1e-12
    for mine, answer in zip(
        maml.predict(members(theta, tasks), tasks),
        same.predict(members(theirs, tasks), tasks),
        strict=True,
    ):
        torch.testing.assert_close(
            mine.query_outputs, answer.query_outputs, rtol=0, atol=1e-12
        )


def members(weights: Weights, tasks: EpisodeBatch) -> Weights:
    each = tasks.members // tasks.replicates
    return {name: value.repeat_interleave(each, 0) for name, value in weights.items()}


def test_without_inner_steps_maml_is_fomaml_is_the_query_gradient() -> None:
    tasks = sines()
    theta = start(Maml(), tasks)
    plain = mean_gradient(tasks, theta, lambda one: one.query)
    for learner in (Maml(inner_steps=0), Fomaml(inner_steps=0)):
        assert gap(meta_gradient(learner, tasks, theta), plain, tasks) < 1e-12


def test_one_step_reptile_is_the_rate_times_the_joint_gradient() -> None:
    tasks = sines()
    learner = Reptile(inner_lr=RATE, inner_steps=1, batch=0)
    theta = start(learner, tasks)
    joint = mean_gradient(learned_together(tasks), theta, lambda one: one.support)
    found = meta_gradient(learner, tasks, theta)
    assert gap(found, {n: RATE * g for n, g in joint.items()}, tasks) < 1e-12


def test_imaml_held_without_end_is_the_query_gradient_at_the_start() -> None:
    tasks = sines()
    learner = Imaml(inner_lr=1e-5, pull=1e8, damping=0.0, inner_steps=0, cg_steps=20)
    theta = start(learner, tasks)
    plain = mean_gradient(tasks, theta, lambda one: one.query)
    assert gap(meta_gradient(learner, tasks, theta), plain, tasks) < 1e-6


def test_the_rate_of_meta_sgd_has_the_gradient_minus_support_times_query() -> None:
    """One task: d/da = −g_S ∘ g_Q, g_Q where the inner step ends."""
    tasks = sines(replicates=1, tasks=1)
    learner = MetaSgd()
    theta = start(learner, tasks)
    net = {name: theta[name] for name in tasks.layout.names}
    first = mean_gradient(tasks, net, lambda one: one.support)
    there = {n: net[n] - theta[f"alpha.{n}"] * first[n] for n in net}
    last = mean_gradient(tasks, there, lambda one: one.query)
    found = meta_gradient(learner, tasks, theta)
    for name in net:
        want = -first[name] * last[name]
        torch.testing.assert_close(found[f"alpha.{name}"], want, rtol=0, atol=1e-12)


SECOND = [
    Maml(inner_lr=RATE, inner_steps=2),
    Maml(inner_lr=RATE, inner_steps=2, inner_clip=0.5),
    Anil(inner_lr=RATE, inner_steps=2),
    MetaSgd(inner_steps=2),
    TNet(inner_lr=RATE, inner_steps=2),
    MamlPlus(inner_lr=RATE, inner_steps=2),
    Cavia(inner_lr=RATE, inner_steps=2),
]


def outer_loss(learner: Learner, tasks: EpisodeBatch, weights: Weights) -> Tensor:
    """Return the mean query loss after two steps by the public way: adapt."""
    (found,) = learner.adapt(Meta(weights, {}), tasks)
    name = "query_loss" if tasks.has_classes else "query_mse"
    return found.traces[name][:, 2].view(tasks.replicates, -1).mean(1)


@pytest.mark.parametrize("learner", SECOND, ids=lambda part: part.name)
@pytest.mark.parametrize("make", [sines, classes], ids=["values", "classes"])
def test_the_second_order_gradient_is_a_finite_difference(
    learner: Learner, make: object
) -> None:
    tasks = make()  # type: ignore[operator]
    theta = start(learner, tasks)
    grads = meta_gradient(learner, tasks, theta)
    draw = torch.Generator().manual_seed(4)
    for _ in range(2):
        way = {
            n: torch.randn(v.shape, generator=draw, dtype=v.dtype)
            for n, v in theta.items()
        }
        up, down = (
            outer_loss(learner, tasks, {n: v + s * way[n] for n, v in theta.items()})
            for s in (1e-6, -1e-6)
        )
        slope = sum((grads[n] * way[n]).flatten(1).sum(1) for n in theta)
        torch.testing.assert_close(slope, (up - down) / 2e-6, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("learner", SECOND, ids=lambda part: part.name)
def test_first_order_is_another_direction_and_inspect_says_how_far(
    learner: Learner,
) -> None:
    tasks = sines()
    theta = start(learner, tasks)
    cosine = learner.inspect(Meta(theta, {}), tasks)["meta_cosine"].values
    assert cosine.shape == (2,)
    assert (cosine < 1 - 1e-4).all() and (cosine > 0).all()


def test_the_cosine_is_that_of_fomaml_and_maml() -> None:
    tasks = sines()
    maml, other = Maml(inner_lr=RATE), Fomaml(inner_lr=RATE)
    theta = start(maml, tasks)
    one, two = (joined(meta_gradient(p, tasks, theta), tasks) for p in (maml, other))
    want = torch.cosine_similarity(one, two, 1)
    found = maml.inspect(Meta(theta, {}), tasks)["meta_cosine"].values
    torch.testing.assert_close(found, want, rtol=0, atol=1e-12)


def test_anil_leaves_the_body_and_learns_it() -> None:
    tasks = sines()
    learner = Anil(inner_lr=RATE)
    theta = start(learner, tasks)
    *_, last = learner.predict(members(theta, tasks), tasks)
    assert last.layer_grad_norms is None
    first = next(iter(learner.predict(members(theta, tasks), tasks)))
    assert first.layer_grad_norms is not None
    # No gradient of the body is taken, so there is no norm of it, not one of 0.
    assert (
        first.layer_grad_norms[:, :-1].isnan().all()
        and (first.layer_grad_norms[:, -1] > 0).all()
    )
    grads = meta_gradient(learner, tasks, theta)
    assert all((grads[name] != 0).any() for name in tasks.layout.names)


LEARNERS = [
    *SECOND,
    ClusteredMaml(inner_lr=RATE, starts=3),
    MetaLstm(inner_lr=RATE, inner_steps=2, hidden=3),
    Fomaml(inner_lr=RATE),
    Imaml(),
    Reptile(inner_steps=3, batch=4),
]


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda part: part.name)
def test_meta_gradients_of_all_tasks_are_the_mean_of_each_alone(
    learner: Learner,
) -> None:
    tasks = sines(replicates=1)
    theta = start(learner, tasks)
    together = meta_gradient(learner, tasks, theta)
    if isinstance(learner, Reptile):
        learner = learner.model_copy(update={"batch": 0})
        together = meta_gradient(learner, tasks, theta)
    alone = [meta_gradient(learner, tasks.take([t]), theta) for t in range(3)]
    for name, grad in together.items():
        mean = torch.stack([one[name] for one in alone]).mean(0)
        torch.testing.assert_close(grad, mean, rtol=0, atol=1e-9)


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda part: part.name)
def test_chunks_of_members_change_nothing(
    learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = sines()
    theta = start(learner, tasks)
    whole = meta_gradient(learner, tasks, theta)
    monkeypatch.setattr(type(tasks.net), "chunk", 2)
    assert len(list(chunks(tasks))) == 4
    for name, grad in meta_gradient(learner, tasks, theta).items():
        torch.testing.assert_close(grad, whole[name], rtol=0, atol=1e-12)


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda part: part.name)
def test_a_head_for_other_ways_is_refused_with_a_reason(learner: Learner) -> None:
    weights = start(learner, classes(ways=3))
    assert "3 ways" in learner.why_not(Meta(weights, {}), classes(ways=2))
    assert not learner.why_not(Meta(weights, {}), classes(ways=3))


def test_the_loss_of_a_lesson_is_that_of_its_queries() -> None:
    tasks = sines()
    learner = Maml(inner_lr=RATE, inner_steps=2)
    theta = start(learner, tasks)
    each = members(theta, tasks)
    ends = adapt_weights(tasks, each, sgd(RATE), 2)
    want = tasks.loss(ends, tasks.query).view(2, 3).mean(1).detach()
    outer = meta_step(learner, tasks, theta)
    torch.testing.assert_close(outer.info["lesson_loss"], want, rtol=0, atol=1e-12)


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda part: part.name)
def test_running_statistics_go_a_tenth_of_the_way_to_what_was_seen(
    learner: Learner,
) -> None:
    net = Mlp(depth=2, width=5, activation="tanh", normalization="meta_batch")
    tasks = sines(net=net)
    theta = start(learner, tasks)
    outer = meta_step(learner, tasks, theta)
    assert outer.statistics is not None and outer.grads is not None
    # Those of further starts have the same names behind a prefix.
    plain = {name.rpartition(".")[2] for name in outer.statistics}
    assert plain == set(tasks.layout.buffers) != set()
    for name in tasks.layout.buffers:
        assert (outer.grads[name] == 0).all(), "a gradient moves them"
        assert not torch.equal(outer.statistics[name], theta[name])
    if isinstance(learner, Reptile):
        return  # its batches are of its own
    first = torch.bmm(theta["w0"].repeat_interleave(3, 0), tasks.support.x)
    mean = first.mean(2).view(2, 3, -1).mean(1)
    want = 0.9 * theta["mean0"][:, 0] + 0.1 * mean
    got = outer.statistics["mean0"][:, 0]
    torch.testing.assert_close(got, want, rtol=0, atol=1e-12)


def test_a_net_without_running_statistics_settles_nothing() -> None:
    tasks = sines()
    theta = start(Maml(), tasks)
    assert not meta_step(Maml(), tasks, theta).statistics


def test_the_implicit_gradient_is_that_of_a_long_unroll_held_to_the_start() -> None:
    tasks, pull, rate = sines(), 5.0, 0.015
    learner = Imaml(inner_lr=rate, pull=pull, inner_steps=64, cg_steps=30, damping=0.0)
    theta = start(learner, tasks)

    def lost(at: Weights, batch: EpisodeBatch) -> Tensor:
        ends = adapt_weights(batch, at, proximal_sgd(rate, pull, at), 100, order=2)
        return batch.loss(ends, batch.query)

    grads = outer_gradient(Meta(theta, {}), tasks, lost).grads
    assert grads is not None
    one, two = (
        joined(found, tasks) for found in (meta_gradient(learner, tasks, theta), grads)
    )
    assert (torch.cosine_similarity(one, two, 1) > 0.99).all()
    plain = mean_gradient(tasks, theta, lambda one: one.query)
    assert (torch.cosine_similarity(joined(plain, tasks), two, 1) < 0.99).all()
