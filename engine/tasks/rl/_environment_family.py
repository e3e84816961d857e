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
    draw_uniform,
    generator,
)

TASK, WALK, WORLD, ACTION = ("task",), ("walk",), ("world",), ("action",)  # streams


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

    def parameters(self, rng: Rng, pool: str) -> dict[str, np.ndarray]:
        """Draw the parameters of one task; called by `draw_parameters` alone.

        Args:
            rng: The stream of its parameters.
            pool: "train", "validation" or "test".
        """
        raise NotImplementedError(f"{type(self).__name__} draws all tasks at once")

    def draw_parameters(self, rngs: Sequence[Rng], pool: str) -> dict[str, np.ndarray]:
        """Draw the parameters of all tasks, one by one unless a family knows better.

        Args:
            rngs: The tasks' streams; their children at `TASK` are for this.
            pool: "train", "validation" or "test".

        Returns:
            Shape (task, …).
        """
        drawn = [self.parameters(rng.child(*TASK), pool) for rng in rngs]
        return {name: np.stack([one[name] for one in drawn]) for name in drawn[0]}

    def walks(self, rngs: Sequence[Rng], episodes: int) -> dict[str, np.ndarray]:
        """Draw what changes over each trial; float32, shape (task, episode, …).

        Args:
            rngs: The tasks' streams; their children at `WALK` are for this.
            episodes: Number of episodes; more leave the earlier ones unchanged.
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
        drawn = self.draw_parameters(rngs, pool) | self.walks(rngs, count)
        parameters = world.prepare(
            {name: torch.from_numpy(row).to(device) for name, row in drawn.items()}
        )
        noise = environment_noise(world, rngs, WORLD, count)
        sampling = action_noise(world, rngs, ACTION, count)
        return TrialBatch(
            environment=world,
            parameters=parameters,
            net=setting.net,
            replicates=batch_spec.replicates,
            horizon=count,
            judged=max(1, round(self.judged_share * count)),
            totals=self.totals,
            noise=torch.from_numpy(noise).to(device),
            action_noise=torch.from_numpy(sampling).to(device),
            optimum=world.optimum(parameters, count),
            streams=tuple(rngs),
        )


def environment_noise(
    world: Environment, rngs: Sequence[Rng], path: tuple[str, ...], episodes: int
) -> np.ndarray:
    """Draw trials' random numbers.

    Episodes come first, so that more of them leave the earlier ones unchanged. A
    changed environment has a stream of its own for the change: luck stays the same.

    Args:
        world: Says how many numbers a step takes.
        rngs: The tasks' streams.
        path: Of the stream below them.
        episodes: Number of episodes.

    Returns:
        float32, shape (task, episode, 1 + step, number).
    """
    if world.inner is None:
        return _draw(world, rngs, path, episodes)
    inner = environment_noise(world.inner, rngs, path, episodes)
    own = _draw(world, rngs, (*path, type(world).__name__), episodes)
    return np.concatenate([inner, own], 3)


def _draw(
    world: Environment, rngs: Sequence[Rng], path: tuple[str, ...], episodes: int
) -> np.ndarray:
    shape = (episodes, 1 + world.steps)
    uniform = draw_uniform(
        rngs, (*path, "uniform"), (*shape, world.uniforms), np.float32
    )
    if not world.normals:  # a generator takes longer than a bandit's numbers
        return uniform
    normal = _draw_normal(rngs, (*path, "normal"), (*shape, world.normals))
    return np.concatenate([uniform, normal], 3)


def action_noise(
    world: Environment, rngs: Sequence[Rng], path: tuple[str, ...], episodes: int
) -> np.ndarray:
    """Draw the numbers by which actions are sampled.

    Args:
        world: Says what actions are.
        rngs: The tasks' streams.
        path: Of the stream below them.
        episodes: Number of episodes.

    Returns:
        float32, shape (task, episode, step, number).
    """
    actions: ActionSpace = world.actions
    shape = (episodes, world.steps, actions.noise)
    if actions.continuous:
        return _draw_normal(rngs, path, shape)
    return draw_uniform(rngs, path, shape, np.float32)


def _draw_normal(
    rngs: Sequence[Rng], path: tuple[str, ...], shape: tuple[int, ...]
) -> np.ndarray:
    """Draw from N(0, 1); float32, shape (task, *shape)."""
    streams = [generator(rng.child(*path)) for rng in rngs]
    return np.stack([each.standard_normal(shape, np.float32) for each in streams])
