"""Batches of trials: one environment per member, played for some episodes.

An environment is pure functions of a task's parameters (as in gymnax), so thousands of
tasks are played side by side. Tensors lead with (member, lane): lanes are episodes of
one task that are played at the same time.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import torch
from torch import Tensor

from engine.contract.rng import Rng
from engine.protocol.meta_types import Weights
from engine.protocol.nets import Net
from engine.protocol.tasks import TaskBatch


@dataclass(frozen=True)
class ActionSpace:
    """What an agent can do at each step.

    Args:
        count: Number of actions; or of dimensions of a continuous action.
        bound: Each dimension of a continuous action is clipped to [−bound, bound];
            0 where actions are discrete.
    """

    count: int
    bound: float = 0.0

    @property
    def continuous(self) -> bool:
        """Whether an action is a vector of numbers."""
        return self.bound > 0.0

    @property
    def noise(self) -> int:
        """How many random numbers one sampled action takes."""
        return self.count if self.continuous else 1


class Transition(NamedTuple):
    """What one step leads to.

    Args:
        state: The next state, by name; shape (member, lane, …).
        reward: The reward that the agent sees; shape (member, lane).
        expected: Its expectation, given state and action; shape (member, lane). Regret
            counts it, since the noise of rewards is nobody's merit.
        ended: Whether the episode ends with this step; bool, shape (member, lane).
    """

    state: Weights
    reward: Tensor
    expected: Tensor
    ended: Tensor


class Places(NamedTuple):
    """Where an agent may be: what a map of values is drawn over.

    Args:
        seen: What an agent sees there; shape (place, number).
        value: Optimal expected return of an episode from there, the task being known;
            NaN where nobody can be; shape (member, place).
    """

    seen: Tensor
    value: Tensor


class Environment(ABC):
    """An environment as pure functions of the parameters of each task.

    `parameters` are named tensors of shape (member, …). `noise` has shape (member,
    lane, uniforms + normals), with the uniform numbers first.

    Attributes:
        observation: Numbers in an observation; one constant if there is nothing to see.
        actions: What an agent can do.
        steps: Most steps of an episode.
        uniforms: Numbers from U[0, 1) that a step, or the start, takes.
        normals: Numbers from N(0, 1) that it takes.
        slip: Chance that each action is replaced by one drawn uniformly, outside of
            this class: `optimum` takes it into account, or is a bound for every slip.
        inner: The environment that this one changes, if it changes one.
        cells: Arms, states or places that can be visited; 0 if they are not counted.
        lowest: No episode's return is lower; a diverged one counts as this.
        arm_rewards: What the arms of a bandit pay: "bernoulli" or "gaussian"; empty for
            anything that is no bandit.
        reward_sd: Standard deviation of what a Gaussian arm pays; strategies know it.
        states: Number of states of a tabular task, which observations tell one-hot; 0
            for others.
        knows_best: Whether `best_action` is known.
        picture: How its films are drawn: "arms", "plane", "grid", "cartpole",
            "pendulum", "acrobot"; empty for no film.
    """

    observation: int
    actions: ActionSpace
    steps: int
    uniforms: int = 0
    normals: int = 0
    slip: float = 0.0
    inner: "Environment | None" = None
    cells: int = 0
    lowest: float
    arm_rewards: str = ""
    reward_sd: float = 1.0
    states: int = 0
    knows_best: bool = False
    picture: str = ""

    def prepare(self, parameters: Weights) -> Weights:
        """Return the parameters with what follows from them, such as optimal values.

        It is called once, when tasks are drawn; all other methods get what it returns.
        """
        return parameters

    @abstractmethod
    def start(self, parameters: Weights, noise: Tensor, episode: Tensor) -> Weights:
        """Return the first state of an episode.

        Args:
            parameters: Of each task.
            noise: Random numbers; shape (member, lane, number).
            episode: Number of each lane's episode in the trial; int64, shape (lane,).
        """

    @abstractmethod
    def observe(self, parameters: Weights, state: Weights) -> Tensor:
        """Return what the agent sees; shape (member, lane, observation)."""

    @abstractmethod
    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Return what an action leads to.

        Args:
            parameters: Of each task.
            state: The present state.
            action: int64, shape (member, lane); or continuous, shape (member, lane,
                dimension), already clipped.
            noise: Random numbers; shape (member, lane, number).
        """

    @abstractmethod
    def optimum(self, parameters: Weights, episodes: int) -> Tensor:
        """Return each episode's expected return under a policy that knows the task.

        Where that is not known, a bound that no policy exceeds.

        Returns:
            Shape (member, episodes).
        """

    def best_action(self, parameters: Weights, state: Weights) -> Tensor:
        """Return an optimal action of each task, if `knows_best`; shaped as actions."""
        raise NotImplementedError(f"{type(self).__name__} knows no best action")

    def is_best(self, parameters: Weights, state: Weights, action: Tensor) -> Tensor:
        """Return whether discrete actions are optimal; bool, shape (member, lane)."""
        return self.best_action(parameters, state) == action

    def cell(self, state: Weights, action: Tensor) -> Tensor:
        """Return which cell a step visits; int64, shape (member, lane)."""
        raise NotImplementedError(f"{type(self).__name__} counts no cells")

    def places(self, parameters: Weights, episode: int) -> Places | None:
        """Return the places that a map of values shows; None if there is no map.

        Args:
            parameters: Of each task.
            episode: Number of the episode in the trial, from 0.
        """
        return None


# Not compared by value, so that results can be kept by batch.
@dataclass(frozen=True, eq=False)
class TrialBatch(TaskBatch):
    """Trials: in each, one task is played for `horizon` episodes.

    All random numbers are drawn with the task, so every learner meets the same luck,
    and a trial is a function of the learner's weights alone.

    Args:
        environment: The pure functions.
        parameters: Of each task; shape (member, …).
        net: The run's net, from which learners build policies and value functions.
        replicates: Number of replicates; members lie replicate by replicate.
        horizon: Episodes per trial.
        judged: How many episodes, at the end of the trial, learners are judged by.
        totals: Whether a trial's return is the sum over those episodes, else the mean.
        noise: For the environment: the start (index 0) and each step; shape (member,
            episode, 1 + step, number), uniform numbers first.
        action_noise: For sampling actions: U[0, 1) if they are discrete, else N(0, 1);
            shape (member, episode, step, number).
        optimum: Each episode's expected return if the task is known; (member, episode).
        streams: One per member, for strategies that draw otherwise.
        chunk: Number of members that are played at once.
    """

    environment: Environment
    parameters: Weights
    net: Net
    replicates: int
    horizon: int
    judged: int
    totals: bool
    noise: Tensor
    action_noise: Tensor
    optimum: Tensor
    streams: tuple[Rng, ...]
    chunk: int = 512

    @property
    def members(self) -> int:
        return len(self.action_noise)

    @property
    def steps(self) -> int:
        """Most steps of an episode."""
        return self.environment.steps

    @property
    def worst_regret(self) -> Tensor:
        """Regret that a diverged trial counts as; shape (member,)."""
        gap = self.optimum[:, -self.judged :] - self.environment.lowest
        return gap.sum(1) if self.totals else gap.mean(1)

    def take(self, index: Sequence[int]) -> Self:
        """Return the chosen members as one replicate."""
        chosen = torch.as_tensor(index, device=self.noise.device)
        return replace(
            self,
            replicates=1,
            parameters={name: row[chosen] for name, row in self.parameters.items()},
            noise=self.noise[chosen],
            action_noise=self.action_noise[chosen],
            optimum=self.optimum[chosen],
            streams=tuple(self.streams[i] for i in index),
        )
