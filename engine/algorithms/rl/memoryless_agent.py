"""An agent without memory: its policy sees the present observation alone."""

from torch import Tensor

from engine.algorithms.rl.policies import PolicyAndValue, group_items, ungroup_items
from engine.algorithms.rl.rollouts import Decision, Seen
from engine.protocol import Weights


class MemorylessAgent:
    """Acts by a policy net.

    Args:
        nets: The policy net, and the value net that it does not need.
        weights: Of both; shape (group, …), the members of a group being consecutive.
    """

    def __init__(self, nets: PolicyAndValue, weights: Weights) -> None:
        self.nets, self.weights = nets, weights

    def start(self, members: int, lanes: int) -> Weights:
        """Return an empty memory."""
        return {}

    def act(self, memory: Weights, seen: Seen, noise: Tensor) -> Decision:
        """Sample from the policy at the present observation."""
        groups, lanes = len(next(iter(self.weights.values()))), noise.shape[1]
        x = group_items(seen.observation, groups)
        policy = self.nets.distribution(self.weights, x)
        action = policy.sample(group_items(noise, groups))
        return Decision(
            ungroup_items(action, lanes), memory, ungroup_items(policy.entropy(), lanes)
        )
