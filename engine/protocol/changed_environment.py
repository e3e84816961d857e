"""Base class of environments that change another one, for shifts and for oracles."""

from torch import Tensor

from engine.protocol.meta_types import Weights
from engine.protocol.rl import Environment, Transition


class ChangedEnvironment(Environment):
    """Plays the inner environment; a subclass replaces the method that it changes.

    Its own random numbers come after those of the inner environment, from a stream of
    their own, so that the inner one has the same luck as without the change.
    """

    inner: Environment

    def __init__(self, inner: Environment) -> None:
        self.inner = inner
        self.observation, self.actions = inner.observation, inner.actions
        self.steps, self.cells, self.lowest = inner.steps, inner.cells, inner.lowest
        self.arm_rewards, self.states = inner.arm_rewards, inner.states
        self.reward_sd, self.knows_best = inner.reward_sd, inner.knows_best

    def own_noise(self, noise: Tensor) -> Tensor:
        """Return the numbers that the change takes; shape (member, lane, number)."""
        return noise[..., noise.shape[-1] - self.uniforms - self.normals :]

    def inner_noise(self, noise: Tensor) -> Tensor:
        """Return the numbers that the inner environment takes."""
        return noise[..., : noise.shape[-1] - self.uniforms - self.normals]

    def prepare(self, parameters: Weights) -> Weights:
        """Return what the inner environment makes of its parameters."""
        return self.inner.prepare(parameters)

    def start(self, parameters: Weights, noise: Tensor, episode: Tensor) -> Weights:
        """Start the inner environment."""
        return self.inner.start(parameters, self.inner_noise(noise), episode)

    def observe(self, parameters: Weights, state: Weights) -> Tensor:
        """Return what the inner environment shows."""
        return self.inner.observe(parameters, state)

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Step the inner environment."""
        return self.inner.step(parameters, state, action, self.inner_noise(noise))

    def optimum(self, parameters: Weights, episodes: int) -> Tensor:
        """Return the inner environment's optimum."""
        return self.inner.optimum(parameters, episodes)

    def best_action(self, parameters: Weights, state: Weights) -> Tensor:
        """Return the inner environment's best action."""
        return self.inner.best_action(parameters, state)

    def is_best(self, parameters: Weights, state: Weights, action: Tensor) -> Tensor:
        """Return whether actions are optimal in the inner environment."""
        return self.inner.is_best(parameters, state, action)

    def cell(self, state: Weights, action: Tensor) -> Tensor:
        """Return which cell of the inner environment a step visits."""
        return self.inner.cell(state, action)
