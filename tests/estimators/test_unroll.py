"""The unroll: what each task says, and that none drowns the others."""

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.algorithms.optimization.learned_optimizer import RuleProblem
from engine.estimators.unroll import (
    Unroll,
    member_gradients,
    member_norm,
    normalize_gradients,
)
from engine.protocol import UnrollWindow, Weights
from engine.protocol.member_chunks import broadcast_to_members
from tests.estimators.test_evolution_strategy import controlled
from tests.estimators.worlds import DOUBLE, estimates


@dataclass
class Slopes:
    """One replicate whose tasks have given slopes: the loss is slope · θ."""

    slopes: Tensor
    replicates: int = 1
    horizon: int = 1
    exploration_weights: tuple[str, ...] = ()

    @property
    def tasks(self) -> int:
        return len(self.slopes)

    def begin(self, particles: int) -> Weights:
        return {"x": torch.zeros(self.tasks * particles, 1, dtype=DOUBLE)}

    def segment(
        self, theta: Weights, state: Weights, span: UnrollWindow
    ) -> tuple[Weights, Tensor, Weights]:
        here = broadcast_to_members(theta, self.tasks)["theta"]
        return state, (here * self.slopes).sum(1, keepdim=True), {}


START = {"theta": torch.ones(1, 2, dtype=DOUBLE)}


def test_equal_tasks_have_one_vote_each() -> None:
    world = Slopes(torch.tensor([[1e6, 0.0], [0.0, -2.0], [0.0, -1e-3]], dtype=DOUBLE))
    grads = estimates(Unroll(), world, START, 1)[0].grads
    plain = estimates(Unroll(equal=False), world, START, 1)[0].grads
    assert grads is not None
    assert plain is not None
    expected = torch.tensor([[1 / 3, -2 / 3]], dtype=DOUBLE)
    torch.testing.assert_close(grads["theta"], expected)
    torch.testing.assert_close(plain["theta"], world.slopes.mean(0, keepdim=True))


def test_a_task_with_a_nan_gradient_is_left_out() -> None:
    for bad in (torch.nan, torch.inf):
        world = Slopes(torch.tensor([[bad, 1.0], [0.0, -2.0]], dtype=DOUBLE))
        grads = estimates(Unroll(equal=False), world, START, 1)[0].grads
        assert grads is not None
        expected = torch.tensor([[0.0, -1.0]], dtype=DOUBLE)
        torch.testing.assert_close(grads["theta"], expected)


def test_each_tasks_gradient_is_that_of_the_task_alone() -> None:
    problem, weights = controlled()
    together = estimates(Unroll(equal=False), problem, weights, 1)[0].grads
    assert together is not None
    alone = torch.zeros_like(weights["w0"])
    for member in range(6):
        r = member // 3
        single = RuleProblem(problem.learner, problem.batch.take([member]))
        mine = {k: v[r : r + 1] for k, v in weights.items()}
        grads = estimates(Unroll(equal=False), single, mine, 1)[0].grads
        assert grads is not None
        alone[r] += grads["w0"][0] / 3
    torch.testing.assert_close(together["w0"], alone, rtol=1e-9, atol=1e-12)


def test_scaled_gradients_have_length_one_and_keep_their_direction() -> None:
    theta = {"a": torch.ones(3, 2, dtype=DOUBLE), "b": torch.ones(3, dtype=DOUBLE)}
    live = {k: v.requires_grad_() for k, v in theta.items()}
    loss = (live["a"].sum(1) * live["b"]).square() * torch.tensor([1.0, 9.0, 0.0])
    each = member_gradients(loss, live)
    scaled = normalize_gradients(each)
    assert member_norm(scaled).tolist()[2] == 0.0
    torch.testing.assert_close(member_norm(scaled)[:2], torch.ones(2, dtype=DOUBLE))
    ratio = each["b"][:2] / each["a"][:2, 0]
    torch.testing.assert_close(scaled["b"][:2] / scaled["a"][:2, 0], ratio)
