"""What T does: it adds no function, and sets the metric of the inner steps."""

import torch

from engine.learners.gradient.maml import Maml
from engine.learners.gradient.t_net import TNet
from engine.nets.mlp import Mlp
from engine.protocol import EpisodeBatch, Weights
from tests.learners.gradient.made import sines, start

RATE = 0.05


def shaken(tasks: EpisodeBatch) -> Weights:
    """Return a T-Net's start whose T are far from the identity."""
    draw = torch.Generator().manual_seed(2)
    return {
        name: value + torch.randn(value.shape, generator=draw, dtype=value.dtype)
        if name.startswith("t.")
        else value
        for name, value in start(TNet(), tasks).items()
    }


def folded(theta: Weights) -> Weights:
    """Multiply each T into its layer's weights and bias, by einsum."""
    plain = {name: value for name, value in theta.items() if name[:2] != "t."}
    for name in [name for name in theta if name[:2] == "t."]:
        weight = name[2:]
        for one in (weight, "b" + weight[1:]):
            plain[one] = torch.einsum("mij,mj...->mi...", theta[name], plain[one])
    return plain


def answers(learner: Maml | TNet, theta: Weights, tasks: EpisodeBatch) -> list:  # type: ignore[type-arg]
    each = tasks.members // tasks.replicates
    members = {name: value.repeat_interleave(each, 0) for name, value in theta.items()}
    return [step.query_outputs for step in learner.predict(members, tasks)]


def test_before_adaptation_a_t_net_is_a_plain_net_of_the_same_layers() -> None:
    tasks = sines()
    theta = shaken(tasks)
    mine, plain = (
        answers(TNet(), theta, tasks)[0],
        answers(Maml(), folded(theta), tasks)[0],
    )
    torch.testing.assert_close(mine, plain, rtol=0, atol=1e-12)


def test_an_inner_step_moves_answers_by_the_metric_t_t_transposed() -> None:
    """One linear layer: the step is MAML's, times T² for its single output."""
    tasks = sines(net=Mlp(depth=0))
    theta = shaken(tasks)
    t = theta["t.w0"].flatten()
    mine = answers(TNet(inner_lr=RATE), theta, tasks)
    plain = answers(Maml(inner_lr=RATE), folded(theta), tasks)
    each = tasks.members // tasks.replicates
    metric = t.square().repeat_interleave(each).view(-1, *[1] * (mine[0].dim() - 1))
    torch.testing.assert_close(
        mine[1] - mine[0], metric * (plain[1] - plain[0]), rtol=0, atol=1e-10
    )
