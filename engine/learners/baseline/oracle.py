"""Oracle: knows the task, and takes the best action at every step.

Source: ours; the bound that regret counts from.
Helps: shows how much of the distance from random actions to the optimum is left.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.rl.fixed_strategy import FixedStrategy
from engine.algorithms.rl.rollouts import Agent, Decision, Rollout, Seen, play_trial
from engine.contract.registry import register
from engine.protocol import (
    ChangedEnvironment,
    Environment,
    Meta,
    TaskBatch,
    TrialBatch,
    Weights,
)


class _Told(ChangedEnvironment):
    """Also tells the best action, in the last numbers of an observation."""

    def __init__(self, inner: Environment) -> None:
        super().__init__(inner)
        self.told = inner.actions.count if inner.actions.continuous else 1
        self.observation = inner.observation + self.told

    def observe(self, parameters: Weights, state: Weights) -> Tensor:
        """Return the observation, then the best action."""
        seen = self.inner.observe(parameters, state)
        best = self.inner.best_action(parameters, state)
        return torch.cat([seen, best.view(*best.shape[:2], self.told).to(seen)], 2)


class _Obedient:
    """Takes the action that it is told."""

    def __init__(self, world: _Told) -> None:
        self.world = world

    def start(self, members: int, lanes: int) -> Weights:
        """Return an empty memory."""
        return {}

    def act(self, memory: Weights, seen: Seen, noise: Tensor) -> Decision:
        """Return the action; its policy is deterministic."""
        told = seen.observation[..., -self.world.told :]
        still = torch.zeros_like(seen.reward)
        if self.world.actions.continuous:
            return Decision(told, memory, still)
        # Rounded, not cut off: a whole number may come as a little less.
        return Decision(told[..., 0].round().long(), memory, still)


@register("learner")
class Oracle(FixedStrategy):
    """a_t = a*(s_t), optimal for the true task."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "gray"
    is_bound: ClassVar[bool] = True
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = False

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why no best action is known; None if one is."""
        assert isinstance(tasks, TrialBatch)
        if tasks.environment.knows_best:
            return None
        return "the best action is not known here, so no oracle can take it"

    def agent(self, tasks: TrialBatch) -> Agent:
        """Return the agent, for an environment that tells."""
        assert isinstance(tasks.environment, _Told)
        return _Obedient(tasks.environment)

    def play(self, weights: Weights, tasks: TrialBatch) -> Iterator[Rollout]:
        """Play the trial; what was told is left out of what was seen.

        Raises:
            Refused: If no best action is known.
        """
        self.refuse_others(tasks)
        told = replace(tasks, environment=_Told(tasks.environment))
        played = play_trial(told, self.agent(told))
        seen = played.observation[..., : tasks.environment.observation]
        yield replace(played, observation=seen)
