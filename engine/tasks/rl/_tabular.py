"""Tabular environments: finitely many states, solved exactly once they are known."""

from abc import abstractmethod
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from engine.algorithms.rl.backward_induction import solve_backward
from engine.protocol import ActionSpace, Environment, Transition, Weights
from engine.tasks.rl._environment_family import EnvironmentFamily

# Action values that differ by less are ties: rounding of float32 sums stays below.
TIE = 1e-4


class Move(NamedTuple):
    """Where an action leads; shape (member, lane) each.

    Args:
        after: The next state, int64.
        reward: The reward that the agent sees.
        ended: Whether the episode is over, bool.
    """

    after: Tensor
    reward: Tensor
    ended: Tensor


class TabularWorld(Environment):
    """Base class: a subclass gives the dynamics as tables and draws a move.

    The parameters gain `value`, the optimal expected return from each state at the
    start of an episode, shape (member, state); `reward_of`, mean rewards, shape
    (member, state, action); and `optimal`, which actions are optimal, bool, shape
    (member, step, state, action).

    What agents see is the state, one-hot. Some environments have states that look the
    same: state s is seen as s mod `states`.

    Args:
        states: Number of states that look different.
        actions: Number of actions.
        steps: Most steps of an episode.
    """

    knows_best = True

    def __init__(self, states: int, actions: int, steps: int) -> None:
        self.observation = self.states = self.cells = states
        self.actions = ActionSpace(actions)
        self.steps = steps

    @abstractmethod
    def rewards(self, parameters: Weights) -> Tensor:
        """Return the mean reward of each action; shape (member, state, action)."""

    @abstractmethod
    def look_ahead(self, parameters: Weights, values: Tensor) -> Tensor:
        """Return the expected value of the next state; 0 where the episode ends.

        Args:
            parameters: Of each task.
            values: Of each state; shape (member, state).

        Returns:
            Shape (member, state, action).
        """

    @abstractmethod
    def first(self, parameters: Weights, episode: Tensor) -> Tensor:
        """Return the state in which episodes start; int64, shape (member, episode)."""

    @abstractmethod
    def move(
        self, parameters: Weights, at: Tensor, action: Tensor, noise: Tensor
    ) -> Move:
        """Return where actions lead, from states `at`."""

    def prepare(self, parameters: Weights) -> Weights:
        """Solve every task by backward induction."""
        rewards = self.rewards(parameters)

        def ahead(values: Tensor) -> Tensor:
            return self.look_ahead(parameters, values)

        plan = solve_backward(rewards, ahead, self.steps, self.slip)
        best = plan.action_values.amax(-1, keepdim=True)
        optimal = plan.action_values >= best - TIE
        return parameters | {
            "value": plan.values,
            "optimal": optimal,
            "reward_of": rewards,
        }

    def start(self, parameters: Weights, noise: Tensor, episode: Tensor) -> Weights:
        """Return the state, and the number of steps taken."""
        at = self.first(parameters, episode)
        return {"at": at, "time": torch.zeros_like(at)}

    def observe(self, parameters: Weights, state: Weights) -> Tensor:
        """Return the state, one-hot."""
        seen = torch.nn.functional.one_hot(state["at"] % self.states, self.states)
        return seen.to(parameters["value"])

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Make the move."""
        at = state["at"]
        after, reward, ended = self.move(parameters, at, action, noise)
        mean = look_up(parameters["reward_of"], at, action)
        later = {"at": after, "time": state["time"] + 1}
        return Transition(later, reward, mean, ended)

    def optimum(self, parameters: Weights, episodes: int) -> Tensor:
        """Return the value of the state that each episode starts in: exact."""
        numbers = torch.arange(episodes, device=parameters["value"].device)
        return parameters["value"].gather(1, self.first(parameters, numbers))

    def _which_are_best(self, parameters: Weights, state: Weights) -> Tensor:
        """Return which actions are optimal; bool, shape (member, lane, action)."""
        optimal, lane = parameters["optimal"], state["at"]
        member = torch.arange(len(lane), device=lane.device).unsqueeze(1)
        return optimal[member, state["time"], lane]

    def best_action(self, parameters: Weights, state: Weights) -> Tensor:
        """Return the first of the optimal actions."""
        # `argmax` promises the first of equal numbers, but not of booleans.
        return self._which_are_best(parameters, state).byte().argmax(-1)

    def is_best(self, parameters: Weights, state: Weights, action: Tensor) -> Tensor:
        """Return whether an action is one of the optimal ones."""
        best = self._which_are_best(parameters, state)
        return best.gather(-1, action.unsqueeze(-1)).squeeze(-1)

    def cell(self, state: Weights, action: Tensor) -> Tensor:
        """Return the state, as it is seen."""
        return state["at"] % self.states


class DeterministicWorld(TabularWorld):
    """Base class: `leads` says where each action leads; rewards depend on that alone.

    Parameters: `leads`, int64, shape (member, state, action).
    """

    def look_ahead(self, parameters: Weights, values: Tensor) -> Tensor:
        """Return the value of the state that each action leads to."""
        leads = parameters["leads"]
        return values.gather(1, leads.flatten(1)).view(leads.shape)

    def move(
        self, parameters: Weights, at: Tensor, action: Tensor, noise: Tensor
    ) -> Move:
        """Go where the action leads."""
        after = look_up(parameters["leads"], at, action)
        reward = look_up(parameters["reward_of"], at, action)
        return Move(after, reward, torch.zeros_like(after) > 0)


def look_up(table: Tensor, at: Tensor, action: Tensor) -> Tensor:
    """Return the entries of each task's table.

    Args:
        table: Shape (member, state, action).
        at: States; int64, shape (member, lane).
        action: int64, shape (member, lane).

    Returns:
        Shape (member, lane).
    """
    return table.flatten(1).gather(1, at * table.shape[2] + action)


class TabularFamily(EnvironmentFamily):
    """Base class of families of tabular environments; trials are judged as a whole."""

    output: ClassVar[str] = "states"
    totals: ClassVar[bool] = True
