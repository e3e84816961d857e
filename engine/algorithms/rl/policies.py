"""Policies and value functions: a net's outputs as a distribution over actions.

Weights may belong to a replicate, for all of its tasks, or to a single task: the items
of a group share weights, and groups lie in the order of the members.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.initial_weights import draw_weights
from engine.algorithms.rl.returns import entropy as gaussian_entropy
from engine.algorithms.rl.returns import log_density
from engine.contract.rng import Rng
from engine.protocol import ActionSpace, Net, Weights

POLICY, VALUE, LOG_STD = "policy.", "value.", "log_std"
FIRST_STD = 1.0  # of a continuous action, as a share of its bound


class ActionDistribution(NamedTuple):
    """A distribution over actions at each item.

    Args:
        space: What actions are.
        outputs: Logits, or means; shape (group, action, item), in which order a softmax
            takes a tenth of the time of one over the last axis.
        log_std: Log standard deviation of continuous actions; broadcasts to `outputs`.
    """

    space: ActionSpace
    outputs: Tensor
    log_std: Tensor | None = None

    def sample(self, noise: Tensor) -> Tensor:
        """Return actions; continuous ones are not clipped yet.

        Args:
            noise: Uniform numbers, shape (group, item, 1); or normal ones, (group,
                item, dimension).

        Returns:
            int64, shape (group, item); or shape (group, item, dimension).
        """
        if self.log_std is not None:
            return (self.outputs + self.log_std.exp() * noise.mT).mT
        # The first action whose cumulative probability exceeds the number.
        below = self.outputs.softmax(1).cumsum(1) <= noise.mT
        # Rounding may leave the last sum below 1.
        return below.sum(1).clamp(max=self.space.count - 1)

    def log_prob(self, action: Tensor) -> Tensor:
        """Return log probabilities, or log densities, of actions; (group, item)."""
        if self.log_std is not None:
            return log_density(action.mT, self.outputs, self.log_std).sum(1)
        logs = self.outputs.log_softmax(1)
        return logs.gather(1, action.unsqueeze(1)).squeeze(1)

    def entropy(self) -> Tensor:
        """Return the entropy, nats; (group, item); NaN if outputs are not finite."""
        if self.log_std is not None:
            each = gaussian_entropy(self.log_std).expand_as(self.outputs)
            # The entropy of a Gaussian does not depend on its mean: 0 · NaN is NaN.
            return (each + 0.0 * self.outputs).sum(1)
        logs = self.outputs.log_softmax(1)
        return -(logs.exp() * logs).sum(1)


class PolicyAndValue(NamedTuple):
    """A policy net and a value net of the same kind.

    Args:
        net: The run's net.
        space: What actions are.
        inputs: Numbers in an input of the policy.
        value_inputs: Numbers in an input of the value net; 0 if it sees the same.
    """

    net: Net
    space: ActionSpace
    inputs: int
    value_inputs: int = 0

    def init(self, rngs: Sequence[Rng], like: Tensor) -> Weights:
        """Draw both nets; shape (replicate, …). Names begin `policy.` and `value.`."""
        weights: Weights = {}
        seen = self.value_inputs or self.inputs
        sizes = (POLICY, self.inputs, self.space.count), (VALUE, seen, 1)
        for prefix, inputs, outputs in sizes:
            layout = self.net.layout((inputs,), outputs)
            drawn = draw_weights(self.net, layout, rngs, like, prefix.strip("."))
            weights |= {f"{prefix}{name}": value for name, value in drawn.items()}
        if self.space.continuous:
            first = math.log(FIRST_STD * self.space.bound)
            shape = (len(rngs), self.space.count)
            weights[f"{POLICY}{LOG_STD}"] = torch.full(shape, first).to(like)
        return weights

    def distribution(self, weights: Weights, x: Tensor) -> ActionDistribution:
        """Return the policy.

        Args:
            weights: Shape (group, …).
            x: Inputs; shape (group, item, number).

        Returns:
            Of an action at each item.
        """
        own = part_of(weights, POLICY)
        log_std = own.pop(LOG_STD, None)
        outputs = self.net.apply(own, x.transpose(1, 2))
        if self.space.continuous:
            # In units of the bound, so that no rate depends on the action's unit.
            outputs = outputs * self.space.bound
        spread = None if log_std is None else log_std.unsqueeze(2)
        return ActionDistribution(self.space, outputs, spread)

    def value(self, weights: Weights, x: Tensor) -> Tensor:
        """Return the value of each input; shape (group, item)."""
        return self.net.apply(part_of(weights, VALUE), x.transpose(1, 2))[:, 0]


def part_of(weights: Weights, prefix: str) -> Weights:
    """Return the weights whose names begin with a prefix, without it."""
    cut = len(prefix)
    return {k[cut:]: v for k, v in weights.items() if k.startswith(prefix)}


def group_items(x: Tensor, groups: int) -> Tensor:
    """Return inputs by group of members that share weights.

    Args:
        x: Shape (member, lane, …).
        groups: How many groups there are; their members are consecutive.

    Returns:
        Shape (group, item, …), the items being member × lane.
    """
    return x.unflatten(0, (groups, -1)).flatten(1, 2)


def ungroup_items(x: Tensor, lanes: int) -> Tensor:
    """Return what `group_items` grouped, by member and lane; (member, lane, …)."""
    return x.unflatten(1, (-1, lanes)).flatten(0, 1)
