"""Own environment: any gymnasium environment, or a class of your own.

Source: Towers et al. (2024), arXiv:2407.17032, for the interface.
Differs: gymnasium steps the copies one after another, so it is far slower than the
environments here; regret is measured against a return that you name.
Helps: to ask on your own problem whether meta-training pays.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.contract.text_decoding import clean
from engine.protocol import Environment, generator
from engine.tasks.rl._environment_family import EnvironmentFamily
from engine.tasks.rl._own_world import (
    SEEDS,
    OwnWorld,
    describe,
    load_attribute,
    load_gymnasium,
)


def draw_nothing(generator: np.random.Generator) -> dict[str, Any]:
    """Return no constructor arguments: all tasks are the same."""
    return {}


@register("family")
class OwnEnvironment(EnvironmentFamily):
    """Constructor arguments ~ your function of a generator; one set for each task."""

    version: ClassVar[int] = 1
    own_code: ClassVar[bool] = True
    judged_share: ClassVar[float] = 0.25

    environment_name: str = knob(
        "",
        label="Environment",
        help="A gymnasium id such as MountainCar-v0, or module:Class of your own.",
    )
    draws: str = knob(
        "",
        label="What varies",
        help="module:function; it takes a numpy generator and returns a dict of "
        "arguments for the constructor. Empty: all tasks are the same.",
    )
    steps: int = knob(
        200,
        label="Steps of an episode",
        unit="steps",
        low=1,
        high=10_000,
        work="passes",
        help="An episode ends here at the latest.",
    )
    best: float = knob(
        0.0,
        label="Best return",
        unit="reward",
        low=-1e9,
        high=1e9,
        help="Return of an episode that no policy exceeds; regret is measured from it. "
        "0: the reward threshold that gymnasium has for the id.",
    )
    worst: float = knob(
        0.0,
        label="Worst return",
        unit="reward",
        low=-1e9,
        high=1e9,
        help="Return that an episode of a diverged policy counts as.",
    )

    def check(self) -> None:
        """Check that the environment can be made and played.

        Raises:
            Refused: If it cannot; its field is the knob's name.
        """
        self.environment()

    def environment(self) -> Environment:
        """Return copies of the user's environment."""
        draw = load_attribute(self.draws, "draws") if self.draws else draw_nothing
        make, known = self._constructor()
        best = self.best or known
        if best is None:
            raise Refused(
                f"no best return is known for {clean(self.environment_name)}; name a "
                "return that no policy exceeds, such as 1e-9 where it is 0",
                "best",
            )
        return OwnWorld(make, draw, self.steps, best, min(self.worst, best))

    def _constructor(self) -> tuple[Callable[..., Any], float | None]:
        """Return what makes a copy, and the return that the registry calls solved."""
        gym, name = load_gymnasium(), self.environment_name
        if not name:
            raise Refused(
                "name an environment: a gymnasium id or module:Class",
                "environment_name",
            )
        if ":" in name:
            return load_attribute(name, "environment_name"), None
        try:
            known = gym.spec(name).reward_threshold
        except Exception as error:  # gymnasium's own errors have no common base
            raise Refused(
                f"gymnasium has no {clean(name)}: {describe(error)}", "environment_name"
            ) from None

        def make(**arguments: Any) -> Any:
            # The knob limits the steps, for all environments alike.
            return gym.make(name, max_episode_steps=self.steps, **arguments)

        return make, known

    def parameters(self, rng: Rng, pool: str) -> dict[str, np.ndarray]:
        """Draw the seed from which the task's constructor arguments are drawn."""
        return {"seed": np.int64(generator(rng).integers(SEEDS))}
