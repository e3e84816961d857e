"""Agents that adapt by gradient: parts, baseline, updates and outer gradients."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.algorithms.rl import chunked_update
from engine.algorithms.rl.feature_baseline import RIDGE, feature_values
from engine.algorithms.rl.gradient_agent import GradientAgent, play_part, trial_parts
from engine.algorithms.rl.inner_updates import MemberAdam, descend
from engine.algorithms.rl.rollouts import Rollout
from engine.contract.rng import Rng
from engine.protocol import Meta, Outer, OuterStepContext, TrialBatch
from engine.runner.context import RunContext
from tests.laws.small import learner_spec

TASKS = 3


def drawn(
    name: str, tasks: int = TASKS, **knobs: Any
) -> tuple[GradientAgent, Meta, TrialBatch]:
    """Return a learner, its start and a batch of bandits."""
    choice = {"name": name, "knobs": {"episodes": 2, **knobs}}
    context = RunContext(learner_spec(name, learners=[choice]))
    batch = context.draw(context.setting, "train", ("train", 0), tasks)
    learner = context.entries[0].learner
    assert isinstance(learner, GradientAgent) and isinstance(batch, TrialBatch)
    return learner, learner.init(context.streams("init"), batch), batch


def outer(learner: GradientAgent, meta: Meta, batch: TrialBatch) -> Outer:
    streams = tuple(Rng(0).child("outer", r) for r in range(batch.replicates))
    return learner.outer(meta, batch, OuterStepContext(0, 0, 1, streams), None)  # type: ignore[arg-type]


def outer_of(name: str, **knobs: Any) -> Outer:
    return outer(*drawn(name, **knobs))


def returns(name: str, **knobs: Any) -> Tensor:
    learner, meta, batch = drawn(name, **knobs)
    segments = list(learner.adapt(meta, batch))
    return torch.cat([one.traces["episode_return"] for one in segments], 1)


def test_a_longer_trial_only_adds_parts() -> None:
    short, long = trial_parts(7, 2, 9), trial_parts(12, 2, 9)
    assert [*long[0], *long[1], *long[2]] == list(range(6))
    assert short[:3] == long[:3] and short[3] == range(6, 7)
    assert trial_parts(7, 2, 0) == [range(7)]


@pytest.mark.parametrize(
    "name", ["maml_rl", "reptile_rl", "policy_from_scratch", "meta_critic"]
)
def test_an_update_of_some_members_at_a_time_changes_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, meta, batch = drawn(name)
    own = learner.starts(meta.weights, batch)
    part = play_part(batch, own, range(learner.episodes))
    whole = learner.chunked_update(own, batch)(own, part)
    monkeypatch.setattr(chunked_update, "STEPS", 2 * learner.episodes * batch.steps)
    in_chunks = learner.chunked_update(own, batch)(own, part)
    assert batch.members > 2 and any(not whole[n].equal(own[n]) for n in own)
    for weight, rows in whole.items():
        torch.testing.assert_close(in_chunks[weight], rows, rtol=1e-5, atol=1e-6)


def test_the_feature_baseline_is_a_ridge_regression() -> None:
    draw = np.random.default_rng(0)
    seen, paid = draw.normal(size=(1, 6, 5, 2)), draw.normal(size=(1, 6, 5))
    alive = np.ones((1, 6, 5), bool)
    alive[0, 0, 3:] = False
    paid[~alive] = 0.0
    tensors = (torch.from_numpy(x) for x in (seen, paid, alive))
    observation, reward, lives = tensors
    played = Rollout(observation, reward, reward, reward, lives, reward)
    found = feature_values(played, 0.9)[0].numpy()
    gain = np.zeros((6, 6))
    for step in reversed(range(5)):
        gain[:, step] = paid[0, :, step] + 0.9 * gain[:, step + 1]
    time = np.broadcast_to(np.arange(5) / 5, (6, 5))[..., None]
    o = seen[0]
    x = np.concatenate([o, o**2, time, time**2, time**3, np.ones_like(time)], 2)
    rows, target = x[alive[0]], gain[:, :5][alive[0]]
    ridge = np.sqrt(RIDGE) * np.eye(8)
    both = np.concatenate([rows, ridge]), np.concatenate([target, np.zeros(8)])
    fitted = np.linalg.lstsq(*both, rcond=None)[0]
    np.testing.assert_allclose(found[alive[0]], rows @ fitted, atol=1e-9)
    assert (found[~alive[0]] == 0).all()


def test_adam_of_members_is_torchs() -> None:
    start = torch.tensor([[1.0, -2.0], [0.5, 3.0]], dtype=torch.float64)
    rates = torch.tensor([0.1, 0.01], dtype=torch.float64)
    adam, weights = MemberAdam(rates), {"w": start}
    for _ in range(5):
        weights = adam.step(weights, lambda at: (at["w"] ** 4).sum(1), ["w"])
    for row, rate in enumerate(rates):
        leaf = start[row].clone().requires_grad_()
        rule = torch.optim.Adam([leaf], lr=float(rate))
        for _ in range(5):
            rule.zero_grad()
            (leaf**4).sum().backward()
            rule.step()
        torch.testing.assert_close(weights["w"][row], leaf.detach())


@pytest.mark.parametrize(("order", "slope"), [(1, 1.0), (2, 1 - 0.1 * 12 * 4.0)])
def test_a_second_order_step_is_differentiated_through(
    order: int, slope: float
) -> None:
    theta = torch.tensor([[2.0]], dtype=torch.float64, requires_grad=True)
    rate = torch.tensor([0.1], dtype=torch.float64)
    step = descend(
        {"w": theta}, lambda at: (at["w"] ** 4).sum(1), ["w"], rate, order=order
    )
    (found,) = torch.autograd.grad(step["w"].sum(), theta)
    assert step["w"].item() == pytest.approx(2.0 - 0.1 * 32)
    assert found.item() == pytest.approx(slope)


def test_without_updates_maml_is_multi_task_training() -> None:
    maml = outer_of("maml_rl", updates=0).grads
    joint = outer_of("multi_task_policy", updates=0).grads
    assert maml is not None and joint is not None
    for name, grad in maml.items():
        torch.testing.assert_close(grad, joint[name], rtol=1e-5, atol=1e-7)


def test_one_step_reptile_is_a_share_of_multi_task_training() -> None:
    reptile = outer_of("reptile_rl", updates=0, lr=0.3).grads
    joint = outer_of("multi_task_policy", updates=0).grads
    assert reptile is not None and joint is not None
    for name, grad in joint.items():
        torch.testing.assert_close(reptile[name], 0.3 * grad, rtol=1e-4, atol=1e-7)


def test_a_step_of_size_0_leaves_mamls_gradient_that_of_later_episodes() -> None:
    second = outer_of("maml_rl", lr=1e-6).grads
    first = outer_of("maml_rl", lr=1e-6, surrogate="first_order").grads
    assert first is not None and second is not None
    for name, grad in second.items():
        torch.testing.assert_close(grad, first[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("form", ["dice", "curvature"])
def test_second_order_differs_from_first_and_forms_agree_on_bandits(form: str) -> None:
    exact = outer_of("maml_rl", lr=1.0, surrogate=form).grads
    first = outer_of("maml_rl", lr=1.0, surrogate="first_order").grads
    other = outer_of("maml_rl", lr=1.0, surrogate="curvature").grads
    assert exact is not None and first is not None and other is not None
    moved = [(exact[n] - first[n]).abs().max().item() for n in exact]
    assert max(moved) > 1e-3
    for name, grad in exact.items():  # one pull per episode: no products of scores
        torch.testing.assert_close(grad, other[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        "maml_rl",
        "reptile_rl",
        "multi_task_policy",
        "policy_from_scratch",
        "meta_critic",
    ],
)
def test_before_the_first_update_all_play_alike_and_then_they_differ(name: str) -> None:
    still, moved = returns(name, updates=0), returns(name, updates=9, lr=3.0)
    assert torch.equal(still[:, :2], moved[:, :2])
    assert not torch.equal(still, moved)


def test_chunks_change_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = outer_of("maml_rl", tasks=4)
    monkeypatch.setattr("engine.algorithms.rl.trial_gradients.STEPS", 12)
    pieces = outer_of("maml_rl", tasks=4)
    assert whole.grads is not None and pieces.grads is not None
    for name, grad in whole.grads.items():
        torch.testing.assert_close(grad, pieces.grads[name], rtol=1e-5, atol=1e-7)
    for name, row in whole.info.items():
        torch.testing.assert_close(row, pieces.info[name])


def test_the_step_size_of_tests_gets_no_gradient() -> None:
    for name in ("maml_rl", "reptile_rl", "multi_task_policy", "meta_critic"):
        grads = outer_of(name).grads
        assert grads is not None and (grads["lr"] == 0).all()
