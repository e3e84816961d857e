"""Base class of agents that adapt as an agent would learn from scratch: A2C or PPO.

Source: Mnih et al. (2016), arXiv:1602.01783; Schulman et al. (2017), arXiv:1707.06347.
"""

import math
from typing import ClassVar, Literal

from torch import Tensor

from engine.algorithms.rl.actor_critic import Credit, surrogate_loss
from engine.algorithms.rl.gradient_agent import (
    RATE,
    GradientAgent,
    PolicyUpdate,
    log_probs,
    log_probs_and_entropy,
)
from engine.algorithms.rl.inner_updates import Loss, MemberAdam, policy_names
from engine.algorithms.rl.rollouts import Rollout
from engine.contract.parts import knob
from engine.protocol import TrialBatch, Weights


class ActorCriticAgent(GradientAgent):
    """Base class: Adam on the policy's loss, with the linear feature baseline."""

    # Until the step size is tuned, after training, validation uses the given one; if
    # that destroyed every policy, the untrained one would be selected.
    keeps_last: ClassVar[bool] = True

    updates: int = knob(
        100,
        label="Updates",
        unit="updates",
        low=0,
        high=1000,
        work="steps",
        help="Most updates in a trial; then the policy stays. 0 never updates.",
    )
    lr: float = knob(
        0.01,
        label="Step size",
        unit="per step",
        low=1e-6,
        high=100.0,
        log=True,
        help="Learning rate of Adam within a trial, unless it is tuned.",
    )
    rule: Literal["a2c", "ppo"] = knob(
        "ppo",
        label="Update rule",
        help="A2C takes one step per update, PPO several on a clipped objective.",
    )
    epochs: int = knob(
        5,
        label="PPO epochs",
        unit="steps",
        low=1,
        high=100,
        work="passes",
        help="Steps per update of PPO, each on all of its episodes.",
        advanced=True,
    )
    clip: float = knob(
        0.2,
        label="PPO clip ε",
        low=0.01,
        high=10.0,
        help="How far the probability of an action may move in one update.",
        advanced=True,
    )
    entropy: float = knob(
        0.0,
        label="Entropy bonus",
        unit="per nat",
        low=0.0,
        high=1.0,
        help="Weight of the policy's entropy within a trial; larger explores longer.",
        advanced=True,
    )

    def policy_update(self, weights: Weights, tasks: TrialBatch) -> PolicyUpdate:
        """Return A2C's or PPO's update, with moments that last for the trial."""
        adam, names = MemberAdam(weights[RATE]), policy_names(weights)

        def update(now: Weights, part: Rollout) -> Weights:
            loss = self.policy_loss(now, part, tasks, self.credit(part))
            for _ in range(self.steps_per_update):
                now = adam.step(now, loss, names)
            return now

        return update

    @property
    def steps_per_update(self) -> int:
        """Return how often the weights move after each part."""
        return self.epochs if self.rule == "ppo" else 1

    def policy_loss(
        self, played: Weights, part: Rollout, tasks: TrialBatch, credit: Credit
    ) -> Loss:
        """Return the loss of the policy on episodes that the given weights played."""
        old = log_probs(played, part, tasks).detach().flatten(1)
        clip = self.clip if self.rule == "ppo" else math.inf

        def loss(theta: Weights) -> Tensor:
            new, entropy = log_probs_and_entropy(theta, part, tasks)
            found = surrogate_loss(new.flatten(1), old, credit, clip)
            return found - self.entropy * entropy if self.entropy else found

        return loss
