"""Base class of families of environments: draws parameters and all random numbers."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch

from engine.contract.rng import Rng
from engine.protocol import (
    ActionSpace,
    BatchSpec,
    Environment,
    Family,
    Setting,
    TaskBatch,
    TrialBatch,
    generator,
)


class EnvironmentFamily(Family):
    """Base class: a subclass gives the environment and draws one task's parameters.

    Attributes:
        totals: Whether a trial's return is a sum over episodes, else their mean.
        judged_share: Share of a trial's episodes, at its end, that is judged.
    """

    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    kind: ClassVar[str] = "rl"
    output: ClassVar[str] = "actions"
    net_start: ClassVar[str] = "glorot"
    totals: ClassVar[bool] = False
    judged_share: ClassVar[float] = 1.0

    @abstractmethod
    def environment(self) -> Environment:
        """Return the environment that all tasks share but for their parameters."""

    @abstractmethod
    def parameters(self, rng: Rng, pool: str) -> dict[str, np.ndarray]:
        """Draw the parameters of one task.

        Args:
            rng: The task's stream.
            pool: "train", "validation" or "test".
        """

    def walks(self, rng: Rng, episodes: int) -> dict[str, np.ndarray]:
        """Draw what changes over one trial; float32, shape (episode, …).

        Args:
            rng: The task's stream; more episodes leave the earlier ones unchanged.
            episodes: Number of episodes.
        """
        return {}

    def least_regret(self, episodes: int) -> float | None:
        """Return the smallest expected regret of an agent that has seen no task yet.

        Args:
            episodes: Episodes of a trial.

        Returns:
            Over the judged episodes; None where it is not known.
        """
        return None

    def draw(
        self, setting: Setting, rngs: Sequence[Rng], pool: str, batch_spec: BatchSpec
    ) -> TaskBatch:
        """Draw one task per stream, with the random numbers of its trial."""
        world, device = self.environment(), batch_spec.device
        for wrap in setting.wrappers:
            world = wrap(world)
        count = setting.horizon
        drawn = [
            self.parameters(rng.child("task"), pool)
            | self.walks(rng.child("walk"), count)
            for rng in rngs
        ]
        parameters = {
            name: torch.from_numpy(np.stack([one[name] for one in drawn])).to(device)
            for name in drawn[0]
        }
        parameters = world.prepare(parameters)
        noise = [environment_noise(world, rng.child("world"), count) for rng in rngs]
        sampling = [action_noise(world, rng.child("action"), count) for rng in rngs]
        return TrialBatch(
            environment=world,
            parameters=parameters,
            net=setting.net,
            replicates=batch_spec.replicates,
            horizon=count,
            judged=max(1, round(self.judged_share * count)),
            totals=self.totals,
            noise=torch.from_numpy(np.stack(noise)).to(device),
            action_noise=torch.from_numpy(np.stack(sampling)).to(device),
            optimum=world.optimum(parameters, count),
            streams=tuple(rngs),
        )


def environment_noise(world: Environment, rng: Rng, episodes: int) -> np.ndarray:
    """Draw a trial's random numbers; shape (episode, 1 + step, number), float32.

    Episodes come first, so that more of them leave the earlier ones unchanged. A
    changed environment has a stream of its own for the change: luck stays the same.
    """
    if world.inner is not None:
        inner = environment_noise(world.inner, rng, episodes)
        own = _draw(world, rng.child(type(world).__name__), episodes)
        return np.concatenate([inner, own], 2)
    return _draw(world, rng, episodes)


def _draw(world: Environment, rng: Rng, episodes: int) -> np.ndarray:
    shape = (episodes, 1 + world.steps)
    uniform = generator(rng.child("uniform")).random(
        (*shape, world.uniforms), np.float32
    )
    if not world.normals:  # a generator takes longer than a bandit's numbers
        return uniform
    normal = generator(rng.child("normal")).standard_normal(
        (*shape, world.normals), np.float32
    )
    return np.concatenate([uniform, normal], 2)


def action_noise(world: Environment, rng: Rng, episodes: int) -> np.ndarray:
    """Draw the numbers by which actions are sampled; (episode, step, number)."""
    actions: ActionSpace = world.actions
    shape = (episodes, world.steps, actions.noise)
    draws = generator(rng)
    if actions.continuous:
        return draws.standard_normal(shape, np.float32)
    return draws.random(shape, np.float32)
