"""What a context is: inputs that all examples share, and the only thing that adapts."""

import pytest
import torch

from engine.contract.errors import Refused
from engine.learners.gradient.cavia import Cavia
from engine.nets.conv4 import Conv4
from engine.nets.mlp import Mlp
from engine.protocol import EpisodeBatch, Weights
from tests.learners.gradient.made import meta_gradient, sines, start
from tests.nets.drawing import episodes

RATE = 0.7


def concatenated(
    theta: Weights, context: torch.Tensor, x: torch.Tensor
) -> torch.Tensor:
    """Answer by a plain net of one member that has the context as further inputs."""
    first = torch.cat([theta["w0"], theta["context_columns"]], 1)
    h = torch.cat([x, context.unsqueeze(1).expand(-1, x.shape[1])])
    h = torch.tanh(first @ h + theta["b0"].unsqueeze(1))
    h = torch.tanh(theta["w1"] @ h + theta["b1"].unsqueeze(1))
    return theta["w2"] @ h + theta["b2"].unsqueeze(1)


def members(theta: Weights, tasks: EpisodeBatch) -> Weights:
    each = tasks.members // tasks.replicates
    return {name: value.repeat_interleave(each, 0) for name, value in theta.items()}


def test_its_steps_are_those_of_a_net_with_the_context_among_its_inputs() -> None:
    tasks, learner = sines(), Cavia(inner_lr=RATE, parameters=3)
    theta = members(start(learner, tasks), tasks)
    answers = [found.query_outputs for found in learner.predict(theta, tasks)]
    for member in range(tasks.members):
        own = {name: value[member] for name, value in theta.items()}
        context = torch.zeros(3, dtype=torch.float64, requires_grad=True)
        for found in answers:
            want = concatenated(own, context, tasks.query.x[member])
            torch.testing.assert_close(found[member], want, rtol=0, atol=1e-12)
            there = concatenated(own, context, tasks.support.x[member])[0]
            loss = (there - tasks.support.y[member]).square().mean()
            (slope,) = torch.autograd.grad(loss, context)
            context = (context - RATE * slope).detach().requires_grad_()


def test_the_context_alone_adapts_and_all_weights_are_learned() -> None:
    tasks, learner = sines(), Cavia(inner_lr=RATE)
    theta = start(learner, tasks)
    adaptation = learner.adaptation(members(theta, tasks), tasks)
    *_, last = adaptation.steps(tasks, 3)
    assert (last.weights["context"] != 0).all()
    for name in tasks.layout.names:
        assert torch.equal(last.weights[name], adaptation.start[name])
    grads = meta_gradient(learner, tasks, theta)
    assert grads.keys() == theta.keys()
    assert all((grad != 0).any() for grad in grads.values())


def test_a_net_that_subtracts_the_context_again_is_refused() -> None:
    with pytest.raises(Refused, match="subtracts again"):
        start(Cavia(), sines(net=Mlp(depth=2, width=5, normalization="batch")))
    # No normalization stands behind the bias of a head.
    start(Cavia(), sines(net=Mlp(depth=0, normalization="batch")))


@pytest.mark.parametrize("kind", ["layer", "instance", "group"])
def test_one_member_of_a_net_of_images_adapts_as_it_does_beside_another(
    kind: str,
) -> None:
    # Images of one member lie channels last, and are normalized by another kernel.
    net = Conv4(filters=8, normalization=kind)  # type: ignore[arg-type]
    both, learner = episodes(net, shape=(1, 16, 16)), Cavia(inner_lr=RATE)
    theta = members(start(learner, both), both)
    together = [found.query_outputs for found in learner.predict(theta, both)]
    first = {name: value[:1] for name, value in theta.items()}
    alone = learner.predict(first, both.take([0]))
    for one, two in zip(alone, together, strict=True):
        torch.testing.assert_close(one.query_outputs, two[:1], rtol=0, atol=1e-9)
    assert all(
        (grad != 0).any()
        for grad in meta_gradient(learner, both, start(learner, both)).values()
    )
