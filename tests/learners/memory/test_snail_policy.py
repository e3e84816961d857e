"""A SNAIL policy looks back along its own trial, and never ahead."""

import pytest
import torch

from engine.algorithms.rl.memory_agent import MEMORY
from engine.algorithms.rl.policies import part_of
from engine.algorithms.rl.sequence_updates import evaluate
from engine.algorithms.rl.trial_sequences import make_sequence
from engine.estimators.pes import Pes
from engine.learners.memory.snail_policy import SnailPolicy
from tests.learners.memory.trials import Walks, drawn_meta, first_step, small_trials

SMALL = SnailPolicy(channels=3, layers=3)


@pytest.mark.parametrize("family", [None, Walks()])
def test_one_step_at_a_time_is_the_whole_trial_in_one_pass(
    family: Walks | None,
) -> None:
    tasks = small_trials(family, replicates=2, episodes=7)
    meta = drawn_meta(SMALL, tasks)
    (played,) = SMALL.play(meta.weights, tasks)
    sequence = make_sequence(tasks, played, 2)
    seen = evaluate(SMALL.policy(tasks), meta.weights, sequence)
    torch.testing.assert_close(
        seen.entropy[sequence.alive], played.entropy[played.alive], rtol=0, atol=1e-6
    )


def test_a_later_step_changes_no_earlier_output() -> None:
    tasks = small_trials(episodes=7)
    meta = drawn_meta(SMALL, tasks)
    (played,) = SMALL.play(meta.weights, tasks)
    x = make_sequence(tasks, played, 1).inputs
    changed = x.clone()
    changed[3] += 1.0
    net = SMALL.policy(tasks).net
    before, after = (net.read(part_of(meta.weights, MEMORY), i) for i in (x, changed))
    assert torch.equal(before[:3], after[:3])
    # Every later step can look back at it.
    assert not torch.isclose(before[3:], after[3:]).all(2).any()


def test_trials_of_a_batch_know_nothing_of_each_other() -> None:
    tasks = small_trials(tasks=4)
    meta = drawn_meta(SMALL, tasks)
    (together,) = SMALL.play(meta.weights, tasks)
    (alone,) = SMALL.play(meta.weights, tasks.take([2]))
    torch.testing.assert_close(alone.entropy[0], together.entropy[2])


def test_every_weight_has_a_gradient() -> None:
    learner = SMALL.model_copy(update={"update": "a2c"})
    tasks = small_trials(episodes=7)
    grads = learner.outer(drawn_meta(learner, tasks), tasks, first_step(), Pes()).grads
    assert grads is not None
    assert all(grad.abs().sum() > 0 for grad in grads.values())


def test_a_longer_trial_can_be_played() -> None:
    meta = drawn_meta(SMALL, small_trials())
    longer = small_trials(episodes=20)
    assert SMALL.why_not(meta, longer) is None
    (played,) = SMALL.play(meta.weights, longer)
    assert played.entropy.isfinite().all()
