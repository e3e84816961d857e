"""Updates of agents with a memory: the actor-critic loss over whole trials."""

from typing import NamedTuple

from torch import Tensor

from engine.algorithms.rl.actor_critic import (
    Credit,
    assign_credit,
    mean_alive,
    surrogate_loss,
    value_loss,
)
from engine.algorithms.rl.memory_agent import MEMORY, MemoryPolicy
from engine.algorithms.rl.policies import part_of
from engine.algorithms.rl.trial_sequences import TrialSequence
from engine.protocol import Weights, square_root

SMALLEST = 1e-6  # of a return's size, where no trial paid anything


class Evaluated(NamedTuple):
    """What a policy says of a sequence; shape (group, trial, step) each."""

    log_prob: Tensor
    entropy: Tensor
    value: Tensor


class Objective(NamedTuple):
    """What is minimized: surrogate + value × its error − entropy × its mean.

    Args:
        clip: PPO's ε; infinite for A2C.
        value: Weight of the squared error of the value function.
        entropy: Weight of the policy's entropy, per nat.
    """

    clip: float
    value: float
    entropy: float


def evaluate(
    policy: MemoryPolicy, weights: Weights, sequence: TrialSequence
) -> Evaluated:
    """Return the policy's log probabilities, entropies and values at each step.

    Args:
        policy: The policy.
        weights: Its weights; shape (group, …).
        sequence: The trials.
    """
    steps, groups, _, trials = sequence.inputs.shape
    features = policy.net.read(part_of(weights, MEMORY), sequence.inputs)
    # (step, group, feature, trial) → (group, feature, trial × step)
    flat = features.permute(1, 2, 3, 0).flatten(2)
    chosen = policy.distribution(weights, flat)
    found = (
        chosen.log_prob(sequence.action.flatten(1, 2)),
        chosen.entropy(),
        policy.value(weights, flat),
    )
    return Evaluated(*(each.view(groups, trials, steps) for each in found))


def credit_of(
    sequence: TrialSequence, value: Tensor, discount: float, trace: float
) -> Credit:
    """Return what each step was worth, in units of the trials' returns.

    Rewards are divided by the root mean square of the group's returns, so that the
    value function and its error have no unit.

    Args:
        sequence: The trials.
        value: What the value function said; shape (group, trial, step).
        discount: γ.
        trace: λ.
    """
    reward = sequence.reward / return_size(sequence.reward).view(-1, 1, 1)
    return assign_credit(reward, value, sequence.alive, discount, trace)


def return_size(reward: Tensor) -> Tensor:
    """Return the root mean square of the trials' returns: the unit of values.

    Args:
        reward: Shape (group, trial, step).

    Returns:
        Shape (group,).
    """
    return square_root(reward.sum(2).square().mean(1)).clamp(min=SMALLEST)


def loss_of(
    now: Evaluated, old_log_prob: Tensor, credit: Credit, objective: Objective
) -> Tensor:
    """Return the loss of each group; shape (group,).

    Args:
        now: Of the present weights.
        old_log_prob: Of the policy that played; shape (group, trial, step).
        credit: What each step was worth.
        objective: Its parts.
    """
    log_prob, entropy, value = (each.flatten(1) for each in now)
    surrogate = surrogate_loss(
        log_prob, old_log_prob.flatten(1), credit, objective.clip
    )
    error = value_loss(value, credit)
    bonus = mean_alive(entropy, credit.alive)
    return surrogate + objective.value * error - objective.entropy * bonus


def part_of_credit(credit: Credit, trials: int, chosen: slice) -> Credit:
    """Return the credit of some trials of every group.

    Args:
        credit: Shape (group, trial × step).
        trials: How many trials a group has.
        chosen: Which of them.
    """
    return Credit(*(x.unflatten(1, (trials, -1))[:, chosen].flatten(1) for x in credit))
