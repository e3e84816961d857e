"""Draws of trials for tests, and agents that do as they are told."""

from typing import Any

import torch
from torch import Tensor

from engine.algorithms.rl.rollouts import Decision, Rollout, Seen, play_trial
from engine.catalogue import find_card
from engine.contract.registry import part
from engine.contract.run_spec import Choice
from engine.protocol import BatchSpec, Family, TrialBatch, Weights
from engine.runner.context import build_part
from tests.tasks.drawing import setting, streams

# Asking for any card discovers every part.
find_card("net", "mlp")


def family(name: str, **knobs: Any) -> Family:
    """Return a family of environments."""
    return build_part("family", Choice(name=name, knobs=knobs), Family)


def trials(name: str, count: int = 4, episodes: int = 3, **knobs: Any) -> TrialBatch:
    """Draw some trials of a family."""
    return draw(family(name, **knobs), count, episodes)


def draw(made: Family, count: int, episodes: int) -> TrialBatch:
    """Draw some trials."""
    where = setting(made, episodes)
    found = made.draw(where, streams(count), "test", BatchSpec())
    assert isinstance(found, TrialBatch)
    return found


def learner(name: str, **knobs: Any) -> Any:
    """Return a learner."""
    return part("learner", name)(**knobs)


def returns(name: str, tasks: TrialBatch) -> Tensor:
    """Return what a fixed strategy earns; shape (member, episode)."""
    (played,) = learner(name).play({}, tasks)
    return played.reward.sum(2)


class Always:
    """Takes one action, whatever it sees."""

    def __init__(self, action: Tensor) -> None:
        self.action = action

    def start(self, members: int, lanes: int) -> Weights:
        return {}

    def act(self, memory: Weights, seen: Seen, noise: Tensor) -> Decision:
        shape = (*seen.reward.shape, *self.action.shape)
        return Decision(
            self.action.expand(shape), memory, torch.zeros_like(seen.reward)
        )


def always(tasks: TrialBatch, *action: float) -> Rollout:
    """Play trials with one action: an index, or the numbers of a continuous one."""
    continuous = tasks.environment.actions.continuous
    sent = torch.tensor(action) if continuous else torch.tensor(int(action[0]))
    return play_trial(tasks, Always(sent))
