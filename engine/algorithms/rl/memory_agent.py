"""Agents with a memory: a net over all that was seen, and a policy on what it knows."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.rl.policies import (
    FIRST_STD,
    LOG_STD,
    POLICY,
    VALUE,
    ActionDistribution,
    part_of,
)
from engine.algorithms.rl.rollouts import Decision, Seen
from engine.algorithms.rl.trial_sequences import join_seen
from engine.contract.rng import Rng
from engine.nets.dense import apply_dense, init_dense, stack_members
from engine.protocol import ActionSpace, Weights

MEMORY = "memory."  # tells the weights of the net from those of policy and value


class MemoryNet(ABC):
    """A net over a trial's steps, as pure functions of its weights.

    Attributes:
        features: Numbers in what it returns at each step.
    """

    features: int

    @abstractmethod
    def init(self, rng: Rng) -> Weights:
        """Draw the weights of one replicate."""

    @abstractmethod
    def start(self, members: int, like: Tensor) -> Weights:
        """Return the memory before a trial; shape (member, 1, …)."""

    @abstractmethod
    def advance(
        self, weights: Weights, memory: Weights, x: Tensor
    ) -> tuple[Tensor, Weights]:
        """Read one more step.

        Args:
            weights: Shape (group, …).
            memory: Shape (member, 1, …); the members of a group are consecutive.
            x: What was seen; shape (group, number, trial).

        Returns:
            Features, shape (group, feature, trial), and the new memory.
        """

    @abstractmethod
    def read(self, weights: Weights, x: Tensor) -> Tensor:
        """Read whole trials; what it returns at a step depends on no later one.

        Args:
            weights: Shape (group, …).
            x: Shape (step, group, number, trial).

        Returns:
            Shape (step, group, feature, trial).
        """


class MemoryPolicy(NamedTuple):
    """A policy and a value function, both linear in a memory net's features.

    Args:
        net: The memory net.
        space: What actions are.
    """

    net: MemoryNet
    space: ActionSpace

    def init(self, rngs: Sequence[Rng], like: Tensor) -> Weights:
        """Draw the weights; shape (replicate, …). All actions are equally likely."""
        drawn = stack_members([self._init_one(rng) for rng in rngs])
        return {name: value.to(like) for name, value in drawn.items()}

    def _init_one(self, rng: Rng) -> Weights:
        parts = {MEMORY: self.net.init(rng.child("memory"))}
        for prefix, outputs in ((POLICY, self.space.count), (VALUE, 1)):
            # Scaled by 0: the first policy is uniform, and the first value is 0.
            parts[prefix] = init_dense((self.net.features, outputs), rng)
        if self.space.continuous:
            first = math.log(FIRST_STD * self.space.bound)
            parts[POLICY][LOG_STD] = torch.full((self.space.count,), first)
        return {f"{p}{name}": v for p, own in parts.items() for name, v in own.items()}

    def distribution(self, weights: Weights, features: Tensor) -> ActionDistribution:
        """Return the policy.

        Args:
            weights: Shape (group, …).
            features: Shape (group, feature, item).

        Returns:
            Of an action at each item.
        """
        own = part_of(weights, POLICY)
        log_std = own.pop(LOG_STD, None)
        spread = None if log_std is None else log_std.unsqueeze(2)
        return ActionDistribution(self.space, apply_dense(own, features), spread)

    def value(self, weights: Weights, features: Tensor) -> Tensor:
        """Return the value of each item; shape (group, item)."""
        return apply_dense(part_of(weights, VALUE), features)[:, 0]


class MemoryAgent:
    """Plays by a memory policy.

    Args:
        policy: The policy.
        weights: Its weights; shape (group, …).
    """

    def __init__(self, policy: MemoryPolicy, weights: Weights) -> None:
        self.policy, self.weights = policy, weights
        self.own = part_of(weights, MEMORY)

    def start(self, members: int, lanes: int) -> Weights:
        """Return an empty memory: nothing is known at the start of a trial."""
        assert lanes == 1  # a memory is kept from one episode to the next
        return self.policy.net.start(members, next(iter(self.weights.values())))

    def act(self, memory: Weights, seen: Seen, noise: Tensor) -> Decision:
        """Read what was seen and sample an action."""
        groups = len(next(iter(self.weights.values())))
        x = join_seen(seen)[:, 0].unflatten(0, (groups, -1))
        features, memory = self.policy.net.advance(self.own, memory, x.mT)
        chosen = self.policy.distribution(self.weights, features)
        action = chosen.sample(noise[:, 0].unflatten(0, (groups, -1)))
        found = (each.flatten(0, 1).unsqueeze(1) for each in (action, chosen.entropy()))
        action, entropy = found
        return Decision(action, memory, entropy)

    def values(self, memory: Weights, seen: Seen, places: Tensor) -> Tensor:
        """Return the value of being somewhere now; shape (member, place).

        Args:
            memory: Before the step.
            seen: What it sees, but for the observation.
            places: The observations; shape (place, number).
        """
        count, members = len(places), len(seen.reward)
        memory, rest = (
            {name: row.repeat_interleave(count, 0) for name, row in held.items()}
            for held in (memory, seen._asdict())
        )
        rest["observation"] = places.repeat(members, 1).unsqueeze(1)
        groups = len(next(iter(self.weights.values())))
        x = join_seen(Seen(**rest))[:, 0].unflatten(0, (groups, -1))
        features, _ = self.policy.net.advance(self.own, memory, x.mT)
        return self.policy.value(self.weights, features).view(members, count)
