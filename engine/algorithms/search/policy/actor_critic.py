"""Actor-critic over a sequence of decisions: gradients of its two nets, one update.

Source: Sutton et al. (1999) for policy gradients with a learned value; Schulman et
al. (2016), arXiv:1506.02438, for the advantages.
Differs: rewards are standardized by all rewards so far, so that one learning rate
suits every space; the critic is fitted to the final reward, the only one there is.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from engine.algorithms.advantages import advantages
from engine.algorithms.search.policy import softmax_policy
from engine.algorithms.search.policy.actor_critic_nets import ActorCriticNets
from engine.algorithms.search.policy.replay import importance_weights
from engine.algorithms.search.policy.sequence_policy import (
    LayerWeights,
    PolicyShape,
    draw_architectures,
)

RAISE = 3.0  # added entropy weight of a fully collapsed policy


class PolicyBatch(NamedTuple):
    """Architectures to learn from.

    Args:
        codes: Shape (row, item, position).
        context: Task features; shape (row, item, feature).
        reward: Standardized; shape (row, item).
        log_prob: Log probability of each when it was drawn, nats; NaN if the current
            nets drew it; shape (row, item).
        counts: Weight of each, 0 or 1; shape (row, item).
    """

    codes: Int[np.ndarray, "row item position"]
    context: Float[np.ndarray, "row item feature"]
    reward: Float[np.ndarray, "row item"]
    log_prob: Float[np.ndarray, "row item"]
    counts: Float[np.ndarray, "row item"]


class UpdateSettings(NamedTuple):
    """Hyperparameters of an update.

    Args:
        trace: λ of the advantages.
        entropy: Weight of the entropy bonus.
        floor: Share of the maximum entropy below which that weight rises.
        clip: Largest importance weight; 0 for no limit.
        rate: Learning rate of the policy net.
        critic: Learning rate of the value net, in units of the policy's.
    """

    trace: float
    entropy: float
    floor: float
    clip: float
    rate: float
    critic: float


class PolicyGradients(NamedTuple):
    """Ascent directions of both nets, and their outputs.

    Args:
        policy: Shape (row, weight).
        value: Shape (row, weight).
        prob: Probabilities of the options; shape (row, item, position, option).
        values: The critic's values before each decision; shape (row, item, position).
    """

    policy: Float[np.ndarray, "row policy_weight"]
    value: Float[np.ndarray, "row value_weight"]
    prob: Float[np.ndarray, "row item position option"]
    values: Float[np.ndarray, "row item position"]


def decision_advantages(
    reward: Float[np.ndarray, " *batch"],
    worth: Float[np.ndarray, "*batch position"],
    trace: float,
) -> Float[np.ndarray, "*batch position"]:
    """Return the advantage of each decision; the only reward follows the last one.

    Args:
        reward: Shape (…).
        worth: The critic's value before each decision; shape (…, position).
        trace: λ: 0 relies on the critic's next value, 1 on the reward.

    Returns:
        Shape (…, position).
    """
    earned = np.zeros_like(worth)
    earned[..., -1] = reward
    both = torch.from_numpy(earned), torch.from_numpy(np.ascontiguousarray(worth))
    return advantages(*both, 1.0, trace).numpy()


def compute_gradients(
    frame: PolicyShape, nets: ActorCriticNets, batch: PolicyBatch, aim: UpdateSettings
) -> PolicyGradients:
    """Return the gradients of expected reward plus entropy, and of the critic's fit.

    Args:
        frame: Sizes of the nets.
        nets: One row per member, or per replicate in meta-training.
        batch: Architectures to learn from.
        aim: Hyperparameters.
    """
    rows, items, places = batch.codes.shape
    inputs = frame.inputs(batch.codes, batch.context)
    flat = inputs.reshape(rows, items * places, -1)
    actor = LayerWeights.from_flat(nets.policy, frame, frame.most_options)
    critic = LayerWeights.from_flat(nets.value, frame, 1)
    logits, policy_hidden = actor.forward(flat)
    worth, value_hidden = critic.forward(flat)
    prob = softmax_policy.probabilities(
        logits.reshape(rows, items, places, -1) + frame.option_mask
    )
    worth = worth.reshape(rows, items, places)
    now = softmax_policy.log_prob(prob, batch.codes)
    then = np.where(np.isnan(batch.log_prob), now, batch.log_prob)
    weight = importance_weights(now, then, aim.clip) * batch.counts
    gain = decision_advantages(batch.reward, worth, aim.trace) * weight[..., None]
    wanted = gain[..., None] * softmax_policy.log_prob_gradient(prob, batch.codes)
    bonus = entropy_weights(frame, prob, batch.counts, aim) * weight
    bonus = bonus[..., None, None] * softmax_policy.entropy_gradient(prob)
    gap = weight[..., None] * (batch.reward[..., None] - worth)
    share = 1.0 / np.maximum(batch.counts.sum(1), 1.0)[:, None, None]
    wanted = (wanted + bonus).reshape(rows, items * places, -1) * share
    gap = gap.reshape(rows, items * places, 1) * share
    return PolicyGradients(
        actor.backward(flat, policy_hidden, wanted),
        critic.backward(flat, value_hidden, gap),
        prob,
        worth,
    )


def entropy_weights(
    frame: PolicyShape,
    prob: Float[np.ndarray, "row item position option"],
    counts: Float[np.ndarray, "row item"],
    aim: UpdateSettings,
) -> Float[np.ndarray, "row 1"]:
    """Return the entropy weight of each row, raised below the entropy floor.

    Args:
        frame: Sizes of the nets.
        prob: Probabilities of the options; shape (row, item, position, option).
        counts: Weight of each item; shape (row, item).
        aim: Its floor is a share of the maximum entropy, ln of the space's size.

    Returns:
        Shape (row, 1): the weight, plus up to 3 in proportion to the missing entropy.
    """
    if not aim.floor:
        return np.full((len(prob), 1), aim.entropy)
    entropy = (softmax_policy.entropies(prob).sum(-1) * counts).sum(1)
    share = entropy / np.maximum(counts.sum(1), 1.0) / np.log(frame.radix).sum()
    return aim.entropy + RAISE * np.maximum(0.0, 1.0 - share / aim.floor)[:, None]


def take_adam_step(
    nets: ActorCriticNets, found: PolicyGradients, aim: UpdateSettings
) -> ActorCriticNets:
    """Return both nets after one step of Adam.

    Args:
        nets: The nets; they are not changed.
        found: Their gradients.
        aim: Hyperparameters.
    """
    policy, policy_moments = softmax_policy.adam_ascent(
        found.policy, nets.policy_moments, aim.rate
    )
    rate = aim.rate * aim.critic
    value, value_moments = softmax_policy.adam_ascent(
        found.value, nets.value_moments, rate
    )
    return ActorCriticNets(
        nets.policy + policy, nets.value + value, policy_moments, value_moments
    )


def critic_explained_variance(
    reward: Float[np.ndarray, "row item"], worth: Float[np.ndarray, "row item position"]
) -> Float[np.ndarray, " row"]:
    """Return the share of the rewards' variance that the critic explains.

    Args:
        reward: Shape (row, item).
        worth: The critic's value before each decision, NaN if unknown; shape (row,
            item, position).

    Returns:
        1 − Var(reward − worth) / Var(reward) over all decisions; NaN where the rewards
        do not vary; shape (row,).
    """
    known = ~np.isnan(worth)
    all_rewards = np.broadcast_to(reward[..., None], worth.shape)
    left = _variance(all_rewards - worth, known)
    spread = _variance(all_rewards, known)
    differ = spread > 1e-12  # rewards that are equal but for rounding have no variance
    return np.where(differ, 1.0 - left / np.where(differ, spread, 1.0), np.nan)


def _variance(
    values: Float[np.ndarray, "row item position"],
    known: Bool[np.ndarray, "row item position"],
) -> Float[np.ndarray, " row"]:
    values, known = (part.reshape(len(part), -1) for part in (values, known))
    count = np.maximum(known.sum(1), 1)
    values = np.where(known, values, 0.0)
    gaps = np.where(known, values - (values.sum(1) / count)[:, None], 0.0)
    return np.asarray((gaps * gaps).sum(1) / count)


def marginal_probabilities(
    frame: PolicyShape,
    nets: ActorCriticNets,
    context: Float[np.ndarray, "row 1 feature"],
    uniform: Float[np.ndarray, "row draw position"],
) -> Float[np.ndarray, "row position option"]:
    """Return the marginal probability of each option; (row, position, option).

    A mean over architectures drawn only for display, never trained.

    Args:
        frame: Sizes of the nets.
        nets: The nets.
        context: Task features; shape (row, 1, feature).
        uniform: Uniform in [0, 1); shape (row, draw, position).
    """
    many = np.repeat(context, uniform.shape[1], 1)
    return np.asarray(draw_architectures(frame, nets.policy, many, uniform)[1].mean(1))
