"""Inner steps against torch's own optimizers and hand-made loops."""

import pytest
import torch

from engine.algorithms.few_shot.inner_loop import (
    adapt_weights,
    inner_steps,
    layer_grad_norms,
    predictions,
)
from engine.algorithms.few_shot.inner_rules import (
    InnerRule,
    adam_without_momentum,
    sgd,
    sgd_with_rates,
)
from engine.learners.gradient.maml import Maml
from engine.protocol import EpisodeBatch, Weights
from tests.learners.gradient.made import sines, start

RATE, STEPS = 0.05, 4


def by_torch(tasks: EpisodeBatch, theta: Weights, kind: str) -> Weights:
    """Adapt with an optimizer of torch's; members do not touch each other."""
    leaves = {name: value.clone().requires_grad_() for name, value in theta.items()}
    rows = list(leaves.values())
    optimizer = (
        torch.optim.SGD(rows, RATE)
        if kind == "sgd"
        else torch.optim.Adam(rows, RATE, betas=(0.0, 0.999))
    )
    for _ in range(STEPS):
        optimizer.zero_grad()
        tasks.loss(leaves, tasks.support).sum().backward()
        optimizer.step()
    return {name: leaf.detach() for name, leaf in leaves.items()}


def begun() -> tuple[EpisodeBatch, Weights]:
    tasks = sines(replicates=3, tasks=1)
    return tasks, start(Maml(), tasks)


@pytest.mark.parametrize(
    ("kind", "rule"), [("sgd", sgd(RATE)), ("adam", adam_without_momentum(RATE))]
)
def test_a_rule_steps_as_torch_does(kind: str, rule: InnerRule) -> None:
    tasks, theta = begun()
    found, want = adapt_weights(tasks, theta, rule, STEPS), by_torch(tasks, theta, kind)
    for name in theta:
        torch.testing.assert_close(found[name], want[name], rtol=0, atol=1e-10)


def test_equal_rates_as_tensors_are_plain_descent() -> None:
    tasks, theta = begun()
    rates = {name: torch.full_like(value, RATE) for name, value in theta.items()}
    one = adapt_weights(tasks, theta, sgd_with_rates(lambda step: rates), STEPS)
    two = adapt_weights(tasks, theta, sgd(RATE), STEPS)
    for name in theta:
        torch.testing.assert_close(one[name], two[name], rtol=0, atol=1e-14)


def test_a_clip_bounds_each_number_of_a_step() -> None:
    tasks, theta = begun()
    free, held = (adapt_weights(tasks, theta, sgd(RATE, c), 1) for c in (0.0, 0.2))
    longest = max(float((free[n] - theta[n]).abs().max()) for n in theta)
    bounded = max(float((held[n] - theta[n]).abs().max()) for n in theta)
    assert longest > 1.1 * RATE * 0.2
    assert bounded == pytest.approx(RATE * 0.2, rel=1e-9)


def test_only_the_named_weights_move() -> None:
    tasks, theta = begun()
    found = adapt_weights(tasks, theta, sgd(RATE), STEPS, names=["w2"])
    assert [n for n in theta if not torch.equal(found[n], theta[n])] == ["w2"]


def test_an_order_of_0_keeps_no_graph() -> None:
    tasks, theta = begun()
    live = {name: value.requires_grad_() for name, value in theta.items()}
    found = list(predictions(tasks, live, inner_steps(tasks, live, sgd(RATE), 2)))
    assert len(found) == 3
    for at in found:
        assert not at.query_outputs.requires_grad
        assert at.distance is not None and not at.distance.requires_grad


def test_what_was_moved_is_the_distance_from_the_start() -> None:
    tasks, theta = begun()
    *_, last = predictions(tasks, theta, inner_steps(tasks, theta, sgd(RATE), STEPS))
    ends = adapt_weights(tasks, theta, sgd(RATE), STEPS)
    rows = torch.cat([(ends[n] - theta[n]).flatten(1) for n in theta], 1)
    assert last.distance is not None
    torch.testing.assert_close(last.distance, rows.norm(dim=1), rtol=0, atol=1e-12)


def test_a_layer_without_a_gradient_has_no_norm() -> None:
    grads = {"w1": torch.tensor([[3.0, 4.0]]), "b1": torch.zeros(1, 1)}
    found = layer_grad_norms(grads, [("w0",), ("w1", "b1")])
    assert found is not None
    assert found[0, 0].isnan() and found[0, 1] == 5.0
    assert layer_grad_norms(grads, [("w0",), ("w2", "b2")]) is None
