"""The policy net and the value net of an actor-critic, with their Adam moments."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float

from engine.algorithms.search.policy import softmax_policy
from engine.algorithms.search.policy.sequence_policy import PolicyShape
from engine.algorithms.search.policy.softmax_policy import AdamMoments
from engine.protocol import Weights


class ActorCriticNets(NamedTuple):
    """Policy and value nets as flat weights, (row, weight), with their Adam moments."""

    policy: Float[np.ndarray, "row policy_weight"]
    value: Float[np.ndarray, "row value_weight"]
    policy_moments: AdamMoments
    value_moments: AdamMoments

    @classmethod
    def with_zero_moments(
        cls,
        policy: Float[np.ndarray, "row policy_weight"],
        value: Float[np.ndarray, "row value_weight"],
    ) -> "ActorCriticNets":
        """Return nets before their first update."""
        return cls(
            policy,
            value,
            softmax_policy.zero_moments(policy),
            softmax_policy.zero_moments(value),
        )

    @classmethod
    def from_weights(cls, weights: Weights, memory: Weights) -> "ActorCriticNets":
        """Read the nets from meta-weights, and their moments from the memory."""
        moments = [
            AdamMoments(*(memory[f"{net}_{k}"].numpy() for k in AdamMoments._fields))
            for net in ("policy", "value")
        ]
        return cls(weights["policy"].numpy(), weights["value"].numpy(), *moments)

    def to_weights(self) -> tuple[Weights, Weights]:
        """Return the nets as meta-weights, and their moments as memory."""
        both = {"policy": self.policy_moments, "value": self.value_moments}
        memory = {
            f"{net}_{k}": torch.from_numpy(part)
            for net, moments in both.items()
            for k, part in moments._asdict().items()
        }
        nets = {"policy": self.policy, "value": self.value}
        return {name: torch.from_numpy(net) for name, net in nets.items()}, memory


def initial_actor_critic(
    frame: PolicyShape, normal: Float[np.ndarray, "row number"]
) -> ActorCriticNets:
    """Return nearly uniform initial nets.

    Args:
        frame: Sizes of the nets.
        normal: Standard normal numbers; shape (row, `init_size`).
    """
    count = frame.weight_count(frame.most_options)
    policy = frame.initial_weights(frame.most_options, normal[:, :count])
    return ActorCriticNets.with_zero_moments(
        policy, frame.initial_weights(1, normal[:, count:])
    )


def init_size(frame: PolicyShape) -> int:
    """Return the number of normal numbers that `initial_actor_critic` takes."""
    return frame.weight_count(frame.most_options) + frame.weight_count(1)


def select_live_nets(
    live: Bool[np.ndarray, " row"], after: ActorCriticNets, before: ActorCriticNets
) -> ActorCriticNets:
    """Return the nets of `after` for live rows, of `before` for the others."""
    if live.all():
        return after
    rows = live[:, None]
    return ActorCriticNets(
        np.where(rows, after.policy, before.policy),
        np.where(rows, after.value, before.value),
        softmax_policy.select_live(live, after.policy_moments, before.policy_moments),
        softmax_policy.select_live(live, after.value_moments, before.value_moments),
    )
