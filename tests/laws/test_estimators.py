"""Laws of every estimator and outer rule."""

import numpy as np
import pytest
import torch

from engine.contract.registry import part
from engine.protocol import OuterRule
from tests.laws.small import assert_same, learner_spec, names, rows


@pytest.mark.parametrize("name", names("estimator"))
def test_every_estimator_trains_the_controller_and_repeats_itself(name: str) -> None:
    spec = learner_spec("lr_scale", estimator={"name": name})
    one, two = rows(spec), rows(spec)
    assert_same(one, two)
    trained = one["lr_scale", "train", "meta_loss", "", "", 0.0, ("step", 0.0)]
    assert np.isfinite(trained).all()


@pytest.mark.parametrize("name", names("estimator"))
def test_more_replicates_leave_a_meta_training_unchanged(name: str) -> None:
    few = rows(learner_spec("lr_scale", estimator={"name": name}))
    more = rows(learner_spec("lr_scale", estimator={"name": name}, replicates=3))
    address = ("lr_scale", "train", "meta_loss", "", "", 0.0, ("step", 0.0))
    np.testing.assert_allclose(few[address], more[address][:2], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", names("outer"))
def test_a_replicates_bad_gradient_moves_neither_it_nor_its_neighbor(name: str) -> None:
    found = part("outer", name)
    assert issubclass(found, OuterRule)
    rule = found()
    weights = {"w": torch.ones(2, 3)}
    good = {"w": torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])}
    bad = {"w": torch.tensor([[1.0, 2.0, 3.0], [torch.nan, 1.0, torch.inf]])}
    state = rule.start(weights)
    clean, _ = rule.step(weights, good, state)
    after, _ = rule.step(weights, bad, state)
    assert torch.equal(after["w"][0], clean["w"][0])
    assert torch.equal(after["w"][1], weights["w"][1])


def test_adam_outer_rule_is_torchs_adam() -> None:
    weights = {"w": torch.linspace(-1, 1, 6, dtype=torch.float64).reshape(2, 3)}
    rule = part("outer", "adam")(lr=0.05, clip=0.0)
    assert isinstance(rule, OuterRule)
    state = rule.start(weights)
    mine = weights
    theirs = weights["w"].clone().requires_grad_()
    optimizer = torch.optim.Adam([theirs], lr=0.05)
    for step in range(20):
        grad = torch.sin(theirs.detach() + step)
        theirs.grad = grad
        optimizer.step()
        mine, state = rule.step(mine, {"w": torch.sin(mine["w"] + step)}, state)
    torch.testing.assert_close(mine["w"], theirs.detach(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", names("outer"))
def test_an_outer_rate_falls_to_nothing_and_decay_shrinks_what_no_gradient_moves(
    name: str,
) -> None:
    found = part("outer", name)
    weights = {"w": torch.ones(1, 3)}
    grads = {"w": torch.full((1, 3), 0.5)}
    still = {"w": torch.zeros(1, 3)}
    for schedule in ("linear", "cosine"):
        rule = found(schedule=schedule)
        assert isinstance(rule, OuterRule)
        first, _ = rule.step(weights, grads, rule.start(weights), 0.0)
        last, _ = rule.step(weights, grads, rule.start(weights), 1.0)
        assert not torch.equal(first["w"], weights["w"])
        torch.testing.assert_close(last["w"], weights["w"])
    rule = found(lr=0.1, weight_decay=0.5)
    assert isinstance(rule, OuterRule)
    shrunk, _ = rule.step(weights, still, rule.start(weights))
    torch.testing.assert_close(shrunk["w"], 0.95 * weights["w"])
