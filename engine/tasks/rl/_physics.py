"""Classic control with physics that differ from task to task: what its families share.

The equations are those of gymnasium's environments, step for step; a task multiplies
their constants by factors.
"""

from typing import ClassVar, Literal

import numpy as np
from torch import Tensor

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.protocol import Environment, Weights, generator
from engine.tasks.rl._environment_family import EnvironmentFamily

Varied = Literal["all", "length", "mass", "gravity"]
CONSTANTS = ("length", "mass", "gravity")


class PhysicalEnvironment(Environment):
    """A mechanical system whose length, mass and gravity are a task's parameters.

    Its state is one tensor, `state`, of shape (member, lane, number), in the order of
    gymnasium; starts are uniform.

    Attributes:
        reach: Half the width of the range that each number starts in.
        step_pay: The lowest and the highest reward of a step.
    """

    reach: tuple[float, ...]
    step_pay: tuple[float, float]

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.lowest = steps * self.step_pay[0]
        self.uniforms = len(self.reach)

    def start(self, parameters: Weights, noise: Tensor, episode: Tensor) -> Weights:
        """Draw the first state uniformly around rest."""
        width = noise.new_tensor(self.reach)
        return {"state": (2 * noise[..., : self.uniforms] - 1) * width}

    def optimum(self, parameters: Weights, episodes: int) -> Tensor:
        """Return a bound that no policy exceeds; the best return is not known."""
        size = (len(parameters["length"]), episodes)
        return parameters["length"].new_full(size, self.steps * self.step_pay[1])


class PhysicsFamily(EnvironmentFamily):
    """Base class: draws a factor on each constant, log-uniformly and independently."""

    judged_share: ClassVar[float] = 0.25

    varied: Varied = knob(
        "all",
        label="What varies",
        help="Which constants differ from task to task; the others keep gymnasium's "
        "values.",
    )
    low: float = knob(
        0.5,
        label="Smallest factor",
        unit="× usual",
        low=0.1,
        high=10.0,
        log=True,
        help="Constants are multiplied by factors from here on.",
    )
    high: float = knob(
        2.0,
        label="Largest factor",
        unit="× usual",
        low=0.1,
        high=10.0,
        log=True,
        help="Constants are multiplied by factors up to here; equal to the smallest: "
        "all tasks are the same.",
    )

    def check(self) -> None:
        """Check that the range is one.

        Raises:
            Refused: If its ends are exchanged.
        """
        if self.low > self.high:
            raise Refused(
                f"the smallest factor, {self.low:g}, is larger than the largest, "
                f"{self.high:g}; exchange them",
                "low",
            )

    def parameters(self, rng: Rng, pool: str) -> dict[str, np.ndarray]:
        """Draw the factor on each constant; 1 for those that do not vary."""
        drawn = generator(rng).random(len(CONSTANTS))
        ends = np.log(self.low), np.log(self.high)
        factors = np.exp(ends[0] + drawn * (ends[1] - ends[0]))
        return {
            name: np.float32(factor if self.varied in ("all", name) else 1.0)
            for name, factor in zip(CONSTANTS, factors, strict=True)
        }


def lane(parameter: Tensor) -> Tensor:
    """Return a parameter with an axis of lanes; shape (member, 1)."""
    return parameter.unsqueeze(1)
