"""Second-order policy gradients against the exact return of small bandits."""

from itertools import product

import pytest
import torch
from torch import Tensor

from engine.algorithms.rl.score_surrogates import Surrogate, score_surrogate

PAYS = torch.tensor([0.3, 0.8], dtype=torch.float64)
START = torch.tensor([0.2, -0.5, 0.4], dtype=torch.float64)
ALPHA, NUDGE = 0.7, 1e-5


def log_policy(theta: Tensor, pulls: Tensor) -> Tensor:
    """Return log π of each pull; the second one remembers the arm of the first.

    Args:
        theta: Two logits, and what a first pull of arm 1 adds; shape (3,).
        pulls: Arms; shape (outcome, pull).
    """
    before = torch.cat([torch.zeros_like(pulls[:, :1]), pulls[:, :-1]], 1)
    left = theta[0] + theta[2] * before
    logs = torch.stack([left, theta[1].expand_as(left)], 2).log_softmax(2)
    return logs.gather(2, pulls.unsqueeze(2)).squeeze(2)


def outcomes(pulls: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return all arms and rewards of an episode, and what their luck weighs."""
    each = list(product([0, 1], repeat=2 * pulls))
    arms = torch.tensor([one[:pulls] for one in each])
    paid = torch.tensor([one[pulls:] for one in each]).to(PAYS)
    luck = (PAYS[arms] * paid + (1 - PAYS[arms]) * (1 - paid)).prod(1)
    return arms, paid, luck


def expected_return(theta: Tensor, pulls: int) -> Tensor:
    """Enumerate every episode."""
    arms, paid, luck = outcomes(pulls)
    return (log_policy(theta, arms).sum(1).exp() * luck * paid.sum(1)).sum()


def gradient(theta: Tensor, pulls: int) -> Tensor:
    """Return the exact gradient by central differences of the enumerated return."""
    nudges = NUDGE * torch.eye(3, dtype=torch.float64)
    both = [
        expected_return(theta + step, pulls) - expected_return(theta - step, pulls)
        for step in nudges
    ]
    return torch.stack(both) / (2 * NUDGE)


def rewards_to_go(paid: Tensor) -> Tensor:
    return paid.flip(1).cumsum(1).flip(1)


def surrogate_of(log_prob: Tensor, advantage: Tensor, form: Surrogate) -> Tensor:
    """Return the surrogate of one episode per outcome; shape (outcome,)."""
    rows = log_prob.unsqueeze(1), advantage.unsqueeze(1)
    return score_surrogate(*rows, torch.ones_like(rows[0]), form)


def meta_gradient(form: Surrogate, pulls: int) -> Tensor:
    """Return ∇_θ J(θ + α E[ĝ(θ)]), the inner gradient being the surrogate's."""
    arms, paid, luck = outcomes(pulls)
    theta = START.clone().requires_grad_()
    log_prob = log_policy(theta, arms)
    # A baseline must change nothing.
    gain = pulls * surrogate_of(log_prob, rewards_to_go(paid) - 0.4, form)
    chance = (log_prob.sum(1).exp() * luck).detach()
    (inner,) = torch.autograd.grad((chance * gain).sum(), theta, create_graph=True)
    adapted = theta + ALPHA * inner
    outer = gradient(adapted.detach(), pulls)
    (found,) = torch.autograd.grad(adapted, theta, grad_outputs=outer)
    return found


def exact_meta_gradient(pulls: int) -> Tensor:
    """Return the finite difference of the exact return after an exact step."""

    def adapted_return(theta: Tensor) -> Tensor:
        return expected_return(theta + ALPHA * gradient(theta, pulls), pulls)

    nudges = 1e-4 * torch.eye(3, dtype=torch.float64)
    both = [adapted_return(START + s) - adapted_return(START - s) for s in nudges]
    return torch.stack(both) / 2e-4


@pytest.mark.parametrize(
    ("form", "pulls"), [("dice", 1), ("dice", 2), ("curvature", 1)]
)
def test_the_second_order_gradient_is_that_of_the_exact_return(
    form: Surrogate, pulls: int
) -> None:
    found, exact = meta_gradient(form, pulls), exact_meta_gradient(pulls)
    torch.testing.assert_close(found, exact, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("form", "pulls"), [("curvature", 2), ("log_prob", 1)])
def test_other_forms_lack_a_part_of_it(form: Surrogate, pulls: int) -> None:
    found, exact = meta_gradient(form, pulls), exact_meta_gradient(pulls)
    assert (found - exact).abs().max() > 1e-3


@pytest.mark.parametrize("form", ["dice", "curvature", "log_prob", "first_order"])
@pytest.mark.parametrize("pulls", [1, 2])
def test_every_form_has_the_policy_gradient(form: Surrogate, pulls: int) -> None:
    arms, paid, luck = outcomes(pulls)
    theta = START.clone().requires_grad_()
    log_prob = log_policy(theta, arms)
    gain = pulls * surrogate_of(log_prob, rewards_to_go(paid), form)
    chance = (log_prob.sum(1).exp() * luck).detach()
    (found,) = torch.autograd.grad((chance * gain).sum(), theta)
    torch.testing.assert_close(found, gradient(START, pulls), rtol=1e-6, atol=1e-8)
