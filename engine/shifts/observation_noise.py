"""Observation noise: agents see another state, or blurred numbers.

Source: the corrupted observations of Zhang et al. (2020), arXiv:2003.08938, drawn at
random instead of by an adversary.
Helps: to see which agents trust a single observation; the true state, the rewards and
the optimum of an agent that sees clearly stay as they are.
"""

from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from engine.contract.registry import register
from engine.protocol import (
    ChangedEnvironment,
    Environment,
    Setting,
    Shift,
    Transition,
    Weights,
)
from engine.shifts._environments import unchanged_environment

BLUR = "observation_noise"  # of the present observation, kept with the state


class _NoisyObservations(ChangedEnvironment):
    """Draws the noise of an observation with the state that it shows."""

    def __init__(self, inner: Environment, severity: float) -> None:
        if inner.states:
            self.uniforms = 2
        else:
            self.normals = inner.observation
        super().__init__(inner)
        self.severity = severity

    def start(self, parameters: Weights, noise: Tensor, episode: Tensor) -> Weights:
        """Start the inner environment, with the noise of the first observation."""
        first = self.inner.start(parameters, self.inner_noise(noise), episode)
        return first | {BLUR: self.own_noise(noise)}

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Step the inner environment, with the noise of the next observation."""
        done = self.inner.step(parameters, state, action, self.inner_noise(noise))
        return done._replace(state=done.state | {BLUR: self.own_noise(noise)})

    def observe(self, parameters: Weights, state: Weights) -> Tensor:
        """Return another state with the chance, or the blurred observation."""
        seen, own = self.inner.observe(parameters, state), state[BLUR]
        if not self.states:
            return seen + self.severity * own
        # A uniform float32 may round up to the count.
        other = (own[..., 1] * self.states).long().clamp(max=self.states - 1)
        wrong = torch.nn.functional.one_hot(other, self.states).to(seen)
        return torch.where(own[..., :1] < self.severity, wrong, seen)


@register("shift")
class ObservationNoise(Shift):
    """o ← a uniformly drawn state, with chance s; or o ← o + s n, n ~ N(0, I)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    unit: ClassVar[str] = "chance, or σ"
    severities: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.25, 0.5)
    top: ClassVar[float] = 1.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        if unchanged_environment(setting).arm_rewards:
            return f"in {setting.family.name} there is nothing to see but rewards"
        return None

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Put the noise between the environment and the agent."""
        return setting.with_wrapper(partial(_NoisyObservations, severity=severity))
