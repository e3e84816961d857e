"""Base classes of bandits: arms whose means may walk from pull to pull."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.protocol import ActionSpace, Environment, Transition, Weights, generator
from engine.tasks.rl._environment_family import WALK, EnvironmentFamily


class Arms(Environment):
    """Base class: one pull is one episode; a subclass says what an arm pays.

    Parameters may hold `walk`: how far each arm has walked before each pull; shape
    (member, episode, arm).
    """

    observation = 1
    steps = 1
    knows_best = True
    picture = "arms"

    def __init__(self, arms: int) -> None:
        self.actions = ActionSpace(arms)
        self.cells = arms

    @abstractmethod
    def means(self, parameters: Weights, walked: Tensor | None) -> Tensor:
        """Return what each arm pays on average; shape (member, lane, arm).

        Args:
            parameters: Of each task.
            walked: How far arms have walked; (member, lane, arm); None if they do not.
        """

    @abstractmethod
    def pay(self, mean: Tensor, noise: Tensor) -> Tensor:
        """Return what a pull pays; shape (member, lane).

        Args:
            mean: Of the pulled arm; shape (member, lane).
            noise: Random numbers; shape (member, lane, number).
        """

    def start(self, parameters: Weights, noise: Tensor, episode: Tensor) -> Weights:
        """Return the arms' means at each pull; no pull changes them."""
        walk = parameters.get("walk")
        walked = None if walk is None else walk[:, episode]
        return {"means": self.means(parameters, walked).expand(-1, len(episode), -1)}

    def observe(self, parameters: Weights, state: Weights) -> Tensor:
        """Return a constant: there is nothing to see; shape (member, lane, 1)."""
        return torch.ones_like(state["means"][..., :1])

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Pull an arm; the same random number decides whichever it is."""
        mean = state["means"].gather(2, action.unsqueeze(2)).squeeze(2)
        ended = torch.ones_like(action) > 0
        return Transition(state, self.pay(mean, noise), mean, ended)

    def optimum(self, parameters: Weights, episodes: int) -> Tensor:
        """Return the mean of the arm that is best at each pull."""
        best = self.means(parameters, parameters.get("walk")).amax(2)
        return best.expand(-1, episodes)

    def best_action(self, parameters: Weights, state: Weights) -> Tensor:
        """Return the arm that is best now; shape (member, lane)."""
        return state["means"].argmax(2)

    def cell(self, state: Weights, action: Tensor) -> Tensor:
        """Return the arm."""
        return action


class BanditFamily(EnvironmentFamily):
    """Base class: a subclass says what arms pay and draws them."""

    output: ClassVar[str] = "arms"
    totals: ClassVar[bool] = True

    arms: int = knob(
        5, label="Arms k", unit="arms", low=2, high=100, work="size", help="Arms."
    )
    drift: float = knob(
        0.0,
        label="Drift δ",
        low=0.0,
        high=3.0,
        help="Standard deviation of each arm's step between two pulls, in the logit of "
        "its probability or in its mean; 0: arms stay as they are.",
    )

    @abstractmethod
    def pays(self, rngs: Sequence[Rng]) -> np.ndarray:
        """Draw what each arm pays.

        Args:
            rngs: The tasks' streams.

        Returns:
            float32, shape (task, arm).
        """

    def draw_parameters(self, rngs: Sequence[Rng], pool: str) -> dict[str, np.ndarray]:
        """Draw the arms of all tasks."""
        return {"pays": self.pays(rngs)}

    def walks(self, rngs: Sequence[Rng], episodes: int) -> dict[str, np.ndarray]:
        """Draw a random walk of each arm, which begins at 0 with the first pull."""
        if not self.drift:
            return {}
        shape = (episodes, self.arms)
        steps = np.stack(
            [generator(rng.child(*WALK)).standard_normal(shape) for rng in rngs]
        )
        # The last step leads beyond the trial.
        walk = (self.drift * steps[:, :-1]).cumsum(1)
        walk = np.concatenate([np.zeros((len(rngs), 1, self.arms)), walk], 1)
        return {"walk": walk.astype(np.float32)}
