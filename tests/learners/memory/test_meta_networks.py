"""Meta Networks: its gradients are autograd's, and its fast weights are what learns."""

from dataclasses import replace

import torch

from engine.algorithms.few_shot.embedding_distances import embed_examples, one_hot
from engine.learners.memory.meta_networks import (
    MetaNetworks,
    base_gradients,
    embedding_gradient,
    look_up,
    read_support,
)
from engine.nets.dense import apply_dense
from engine.nets.mlp import Mlp
from engine.outers.adam import Adam
from engine.protocol import Meta, Weights
from engine.protocol.member_chunks import broadcast_to_members
from engine.tasks.few_shot.gaussian_classes import GaussianClasses
from tests.learners.clouds import (
    answered,
    begun,
    clouds,
    drawn_from,
    lesson_gradient,
    relabeled,
    shuffled,
)

LEARNER = MetaNetworks(hidden=5)


def of_members() -> tuple[Weights, torch.Tensor, torch.Tensor]:
    """Return each member's weights, and features and labels of its support."""
    tasks = clouds()
    theta = broadcast_to_members(begun(LEARNER, tasks), tasks.members)
    support, _ = embed_examples(theta, tasks)
    return theta, support, one_hot(tasks.support.y, tasks.outputs, support).mT


def test_the_gradients_of_the_base_are_those_of_autograd() -> None:
    theta, support, y = of_members()
    found = base_gradients(theta, support, y)
    for example in range(support.shape[2]):
        leaf = theta["base.w0"].detach().clone().requires_grad_()
        out = apply_dense(theta | {"base.w0": leaf}, support, "base.")
        loss = -(out.log_softmax(1) * y).sum(1)[:, example].sum()
        (expected,) = torch.autograd.grad(loss, leaf)
        torch.testing.assert_close(found[:, example], expected, rtol=0, atol=1e-12)


def test_the_gradient_of_the_embedding_is_that_of_autograd() -> None:
    theta, support, y = of_members()
    leaf = theta["embed.w0"].detach().clone().requires_grad_()
    hidden = torch.relu(apply_dense(theta | {"embed.w0": leaf}, support, "embed."))
    out = apply_dense(theta, hidden, "embed_out.")
    loss = -(out.log_softmax(1) * y).sum(1).mean(1).sum()
    (expected,) = torch.autograd.grad(loss, leaf)
    found = embedding_gradient(theta, support, y)
    assert (found != 0).any()
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_an_answer_is_the_slow_layer_plus_the_weights_that_a_query_looks_up() -> None:
    tasks = clouds()
    weights = begun(LEARNER, tasks)
    theta = broadcast_to_members(weights, tasks.members)
    support, query = embed_examples(theta, tasks)
    memory = read_support(theta, support, tasks)
    share = look_up(theta, memory, query)
    found = answered(LEARNER, tasks, weights)
    for q in range(query.shape[2]):
        fast = (share[:, :, q, None, None] * memory.fast).sum(1)
        slow = theta["base.w0"] @ query[..., q, None] + theta["base.b0"][..., None]
        expected = (slow + fast @ query[..., q, None])[..., 0]
        torch.testing.assert_close(found[..., q], expected, rtol=0, atol=1e-12)


def test_the_order_of_the_support_does_not_matter() -> None:
    tasks = clouds()
    order = torch.randperm(12, generator=torch.Generator().manual_seed(2)).tolist()
    one, two = answered(LEARNER, tasks), answered(LEARNER, shuffled(tasks, order))
    torch.testing.assert_close(one, two, rtol=0, atol=1e-10)


def test_without_fast_weights_the_support_is_not_read() -> None:
    tasks, off = clouds(), MetaNetworks(hidden=5, fast_weights=False)
    other = relabeled(tasks, [1, 2, 3, 0])
    other = replace(other, query=tasks.query)
    assert torch.equal(answered(off, tasks), answered(off, other))
    assert not torch.equal(answered(LEARNER, tasks), answered(LEARNER, other))


def accuracy(learner: MetaNetworks) -> float:
    """Return the accuracy on new episodes after a hundred meta-steps."""
    family, net = GaussianClasses(dimensions=8), Mlp(depth=0)
    tasks = drawn_from(family, 32, net)
    weights, outer = begun(learner, tasks), Adam(lr=0.01)
    state = outer.start(weights)
    for _ in range(60):
        grads = lesson_gradient(learner, Meta(weights, {}), tasks)
        weights, state = outer.step(weights, grads, state, 0.0)
    new = drawn_from(family, 64, net, pool="test")
    right = answered(learner, new, weights).argmax(1) == new.query.y
    return right.double().mean().item()


def test_without_fast_weights_at_least_fifteen_points_are_lost() -> None:
    assert accuracy(MetaNetworks()) > accuracy(MetaNetworks(fast_weights=False)) + 0.15
