"""Random actions: every action is equally likely, whatever was seen.

Source: ours; the floor that every agent must leave.
Helps: shows what a task pays without any exploration or learning.
"""

from typing import ClassVar

from engine.algorithms.rl.fixed_strategy import FixedStrategy
from engine.algorithms.rl.random_agent import RandomAgent
from engine.algorithms.rl.rollouts import Agent
from engine.contract.registry import register
from engine.protocol import TrialBatch


@register("learner")
class RandomActions(FixedStrategy):
    """a_t ~ uniform over the actions."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "red"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = False

    def agent(self, tasks: TrialBatch) -> Agent:
        """Return the agent."""
        return RandomAgent(tasks.environment.actions)
