"""The learned critic: what is learned, what is fresh, and what it predicts."""

import pytest
import torch

from engine.algorithms.rl.gradient_agent import play_part
from engine.algorithms.rl.task_critic import TaskCritic
from engine.learners.gradient.meta_critic import MetaCritic, Start
from engine.outers.adam import Adam
from engine.protocol import Meta, TrialBatch
from tests.algorithms.rl.test_gradient_agent import drawn, outer, outer_of


def parts_of(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("policy", ["fresh", "learned"])
@pytest.mark.parametrize("critic", ["fresh", "learned"])
def test_only_learned_nets_are_meta_weights(policy: Start, critic: Start) -> None:
    _, meta, _ = drawn("meta_critic", policy=policy, critic=critic)
    chosen = {"policy": policy, "value": critic}
    learned = {name for name, start in chosen.items() if start == "learned"}
    assert parts_of({*meta.weights}) == learned | {"lr"}
    found = outer_of("meta_critic", policy=policy, critic=critic)
    moved = {n for n, g in (found.grads or {}).items() if g.abs().max() > 0}
    assert parts_of(moved) == learned


def test_fresh_nets_are_the_tasks_own_and_learned_ones_are_shared() -> None:
    learner, meta, batch = drawn("meta_critic")
    own = learner.starts(meta.weights, batch)
    assert not torch.equal(own["policy.w0"][0], own["policy.w0"][1])
    assert torch.equal(own["value.w0"][0], own["value.w0"][1])
    again = learner.starts(meta.weights, batch.take([1]))
    assert torch.equal(again["policy.w0"][0], own["policy.w0"][1])


def explained(learner: MetaCritic, meta: Meta, batch: TrialBatch) -> float:
    """Return how much of the returns of fresh policies the critic explains."""
    own = learner.starts(meta.weights, batch)
    part = play_part(batch, own, range(batch.horizon))
    error = TaskCritic(batch, learner.discount).error(own, part).mean()
    spread = part.reward.var(correction=0)
    return 1.0 - float(error / spread)


def test_training_teaches_the_critic_what_new_tasks_pay() -> None:
    learner, meta, batch = drawn("meta_critic", tasks=48, updates=0)
    assert isinstance(learner, MetaCritic)
    _, _, fresh_tasks = drawn("meta_critic", tasks=96)
    held_out = fresh_tasks.take(range(48, 96))
    before = explained(learner, meta, held_out)
    rule, weights = Adam(lr=0.02), meta.weights
    state = rule.start(weights)
    for _ in range(60):
        grads = outer(learner, Meta(weights, {}), batch).grads or {}
        weights, state = rule.step(weights, grads, state)
    one = {name: row[:1] for name, row in weights.items()}
    after = explained(learner, Meta(one, {}), held_out)
    assert before < 0.1 < after


def test_the_critic_predicts_rewards_per_step_that_is_left() -> None:
    learner, meta, batch = drawn("meta_critic", discount=0.5)
    own = learner.starts(meta.weights, batch)
    part = play_part(batch, own, range(3))
    critic = TaskCritic(batch, 0.5)
    zero = {name: torch.zeros_like(weight) for name, weight in own.items()}
    assert (critic.values(zero, part) == 0).all()
    zero["value.b1"] = torch.ones_like(own["value.b1"])
    torch.testing.assert_close(critic.values(zero, part), torch.ones_like(part.reward))


def test_a_fresh_policy_is_the_one_that_training_from_scratch_starts_with() -> None:
    learner, meta, batch = drawn("meta_critic")
    scratch, nothing, _ = drawn("policy_from_scratch")
    assert {*nothing.weights} == {"lr"}
    one, two = (
        a.starts(m.weights, batch) for a, m in ((learner, meta), (scratch, nothing))
    )
    for name in ("policy.w0", "policy.w1", "policy.b1"):
        assert torch.equal(one[name], two[name])
