"""RL² remembers within a trial and nowhere else; its updates are what they claim."""

from dataclasses import replace

import pytest
import torch

from engine.algorithms.rl.memory_agent import MEMORY, MemoryAgent
from engine.algorithms.rl.policies import part_of
from engine.algorithms.rl.rollouts import Decision, Seen, encode, play_trial
from engine.algorithms.rl.sequence_updates import (
    credit_of,
    evaluate,
)
from engine.algorithms.rl.trial_sequences import TrialSequence, make_sequence
from engine.estimators.pes import Pes
from engine.learners.memory.rl2 import Rl2
from engine.outers.adam import Adam
from engine.protocol import Meta, TrialBatch, Weights
from engine.tasks.rl.bernoulli_bandit import BernoulliBandit
from tests.learners.memory.trials import Walks, drawn_meta, first_step, small_trials

SMALL = Rl2(hidden=6)
A2C = Rl2(hidden=6, update="a2c")


def played_sequence(tasks: TrialBatch, meta: Meta) -> TrialSequence:
    (played,) = SMALL.play(meta.weights, tasks)
    return make_sequence(tasks, played, tasks.replicates)


def test_trials_of_a_batch_know_nothing_of_each_other() -> None:
    tasks = small_trials(tasks=4)
    meta = drawn_meta(SMALL, tasks)
    (together,) = SMALL.play(meta.weights, tasks)
    (alone,) = SMALL.play(meta.weights, tasks.take([2]))
    assert torch.equal(alone.action[0], together.action[2])
    torch.testing.assert_close(alone.entropy[0], together.entropy[2])


def test_a_trial_played_again_begins_from_an_empty_memory() -> None:
    tasks = small_trials()
    meta = drawn_meta(SMALL, tasks)
    (first,), (again,) = (SMALL.play(meta.weights, tasks) for _ in range(2))
    assert torch.equal(first.entropy, again.entropy)
    # Before its first step no trial differs from another.
    assert first.entropy[:, 0].unique().numel() == 1
    assert first.entropy[:, -1].unique().numel() > 1


def test_what_happened_in_an_episode_is_remembered_in_the_next() -> None:
    tasks = small_trials(tasks=1)
    meta = drawn_meta(SMALL, tasks)
    # Always the first arm, which pays at every pull, in one trial but the first.
    tasks = replace(tasks, action_noise=tasks.action_noise * 0.0)
    lucky = replace(tasks, noise=tasks.noise * 0.0)
    luck = lucky.noise.clone()
    luck[:, 0] = 1.0
    (won,), (lost,) = (
        SMALL.play(meta.weights, t) for t in (lucky, replace(lucky, noise=luck))
    )
    assert torch.equal(won.entropy[:, 0], lost.entropy[:, 0])
    assert not torch.isclose(won.entropy[:, 1:], lost.entropy[:, 1:]).any()


def test_a_later_step_changes_no_earlier_output() -> None:
    tasks = small_trials()
    meta = drawn_meta(SMALL, tasks)
    x = played_sequence(tasks, meta).inputs
    changed = x.clone()
    changed[3] += 1.0
    net = SMALL.policy(tasks).net
    before, after = (net.read(part_of(meta.weights, MEMORY), i) for i in (x, changed))
    assert torch.equal(before[:3], after[:3])
    assert not torch.isclose(before[3:], after[3:]).any()


@pytest.mark.parametrize("family", [None, Walks()])
def test_entropies_and_log_probabilities_are_those_of_the_play(
    family: Walks | None,
) -> None:
    tasks = small_trials(family, replicates=2)
    meta = drawn_meta(SMALL, tasks)
    (played,) = SMALL.play(meta.weights, tasks)
    sequence = make_sequence(tasks, played, 2)
    seen = evaluate(SMALL.policy(tasks), meta.weights, sequence)
    # Boolean masks list the steps that were taken in their order.
    torch.testing.assert_close(
        seen.entropy[sequence.alive], played.entropy[played.alive], rtol=0, atol=1e-6
    )
    logs = seen.log_prob[sequence.alive]
    torch.testing.assert_close(
        logs, acted_log_probs(tasks, meta.weights, played.alive), rtol=0, atol=1e-6
    )


def acted_log_probs(
    tasks: TrialBatch, weights: Weights, alive: torch.Tensor
) -> torch.Tensor:
    """Return the log probability of each taken action, written down as it is played."""
    found = []

    class Scribe(MemoryAgent):
        def act(self, memory: Weights, seen: Seen, noise: torch.Tensor) -> Decision:
            decision = super().act(memory, seen, noise)
            last = (seen.reward.unsqueeze(-1), seen.ended.unsqueeze(-1))
            x = torch.cat([seen.observation, seen.action, *last], -1)
            x = x[:, 0].unflatten(0, (tasks.replicates, -1)).mT
            features, _ = self.policy.net.advance(self.own, memory, x)
            outputs = self.policy.distribution(self.weights, features).outputs
            chosen = encode(tasks, decision.action[:, 0])
            found.append((outputs.log_softmax(1).mT.flatten(0, 1) * chosen).sum(-1))
            return decision

    play_trial(tasks, Scribe(SMALL.policy(tasks), weights))
    return torch.stack(found, 1).view(alive.shape)[alive]


def test_steps_after_an_early_end_are_neither_remembered_nor_discounted() -> None:
    tasks = small_trials(Walks(), tasks=6)
    meta = drawn_meta(SMALL, tasks)
    (played,) = SMALL.play(meta.weights, tasks)
    assert (~played.alive).any()  # or the test shows nothing
    sequence = make_sequence(tasks, played, 1)
    credit = credit_of(sequence, torch.zeros_like(sequence.reward), 0.5, 1.0)
    # Returns of the steps that were taken, one after the other.
    for trial in range(6):
        rewards = played.reward[trial][played.alive[trial]].tolist()
        wanted, running = [], 0.0
        for reward in reversed(rewards):
            running = reward + 0.5 * running
            wanted.insert(0, running)
        got = credit.target.view(6, -1)[trial, : len(wanted)]
        size = played.reward.sum((1, 2)).square().mean().sqrt()
        torch.testing.assert_close(got * size, torch.tensor(wanted).double())
    # A step that follows an early end says so, and knows the action that ended it.
    ended = sequence.inputs[:, 0, -1].T * sequence.alive[0]
    firsts = played.alive & (torch.arange(3) == 0)
    assert torch.equal(ended.sum(1) + 1, firsts.sum((1, 2)).double())


def test_batched_replicates_are_replicates_one_at_a_time() -> None:
    tasks = small_trials(replicates=2, tasks=3)
    meta = drawn_meta(A2C, tasks)
    both = A2C.outer(meta, tasks, first_step(), Pes()).grads
    assert both is not None
    for r in range(2):
        own = {name: w[r : r + 1] for name, w in meta.weights.items()}
        alone = tasks.take(range(3 * r, 3 * r + 3))
        grads = A2C.outer(Meta(own, {}), alone, first_step(), Pes()).grads
        assert grads is not None
        for name, grad in grads.items():
            torch.testing.assert_close(grad[0], both[name][r])


def test_one_epoch_of_ppo_with_a_wide_clip_is_a2c() -> None:
    tasks = small_trials(replicates=2)
    ppo = Rl2(hidden=6, epochs=1, pieces=1, clip=10.0, lr=0.01)
    meta = drawn_meta(ppo, tasks)
    after = ppo.outer(meta, tasks, first_step(), Pes()).weights
    grads = A2C.outer(meta, tasks, first_step(), Pes()).grads
    assert after is not None and grads is not None
    rule = Adam(lr=0.01, clip=1.0)
    wanted, _ = rule.step(meta.weights, grads, rule.start(meta.weights))
    for name, value in wanted.items():
        torch.testing.assert_close(after[name], value)


def test_the_gradient_is_that_of_the_loss() -> None:
    tasks = small_trials()
    meta = drawn_meta(A2C, tasks)
    grads = A2C.outer(meta, tasks, first_step(0.5), Pes()).grads
    assert grads is not None
    policy, sequence = A2C.policy(tasks), played_sequence(tasks, meta)
    old = evaluate(policy, meta.weights, sequence)
    credit = credit_of(sequence, old.value, A2C.discount, A2C.trace)

    def loss_at(name: str, change: float) -> float:
        theta = {k: v.clone() for k, v in meta.weights.items()}
        theta[name].view(-1)[0] += change
        now = evaluate(policy, theta, sequence)
        gain, target, _ = (each.view_as(now.value) for each in credit)
        error = (now.value - target).square().mean()
        bonus = A2C.entropy * 0.5 * now.entropy.mean()
        return float(A2C.value_weight * error - (now.log_prob * gain).mean() - bonus)

    for name, grad in grads.items():
        slope = (loss_at(name, 1e-5) - loss_at(name, -1e-5)) / 2e-5
        assert grad.view(-1)[0].item() == pytest.approx(slope, abs=1e-8), name


def test_a_policy_of_other_arms_is_refused() -> None:
    meta = drawn_meta(SMALL, small_trials())
    assert SMALL.why_not(meta, small_trials()) is None
    refusal = SMALL.why_not(meta, small_trials(BernoulliBandit(arms=3)))
    assert refusal is not None and "actions: 3" in refusal
