"""Small trials in float64, of bandits and of episodes that may end early."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from engine.contract.rng import Rng
from engine.nets.mlp import Mlp
from engine.protocol import (
    ActionSpace,
    BatchSpec,
    Environment,
    Learner,
    Meta,
    OuterStepContext,
    Setting,
    Transition,
    TrialBatch,
    Weights,
)
from engine.tasks.rl._environment_family import EnvironmentFamily
from engine.tasks.rl.bernoulli_bandit import BernoulliBandit


class Walk(Environment):
    """Action 1 goes on, action 0 ends the episode; every step pays its number."""

    observation = 1
    actions = ActionSpace(2)
    steps = 3
    lowest = 0.0

    def start(self, parameters: Weights, noise: Tensor, episode: Tensor) -> Weights:
        """Return step 0."""
        return {"at": noise.new_zeros(noise.shape[:2])}

    def observe(self, parameters: Weights, state: Weights) -> Tensor:
        """Return the step; far off after the end, which nobody may notice."""
        return state["at"].unsqueeze(-1)

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Go on or end."""
        after = torch.where(action == 1, state["at"] + 1, 100.0)
        return Transition({"at": after}, after, after, action == 0)

    def optimum(self, parameters: Weights, episodes: int) -> Tensor:
        """Return the whole walk's rewards."""
        return torch.full((len(parameters["pays"]), episodes), 6.0)


class Walks(EnvironmentFamily):
    """Episodes of one to three steps."""

    def environment(self) -> Environment:
        """Return the walk."""
        return Walk()

    def parameters(self, rng: Rng, pool: str) -> dict[str, np.ndarray]:
        """Return a constant: all tasks are the same but for their luck."""
        return {"pays": np.ones(1)}


def small_trials(
    family: EnvironmentFamily | None = None,
    *,
    replicates: int = 1,
    tasks: int = 4,
    episodes: int = 5,
) -> TrialBatch:
    """Return trials in float64; by default of a bandit with two arms."""
    chosen = family or BernoulliBandit(arms=2)
    rngs = [Rng(5).child(r, t) for r in range(replicates) for t in range(tasks)]
    setting = Setting(chosen, Mlp(), episodes)
    drawn = chosen.draw(setting, rngs, "train", BatchSpec(replicates))
    assert isinstance(drawn, TrialBatch)
    return replace(
        drawn,
        parameters={name: row.double() for name, row in drawn.parameters.items()},
        noise=drawn.noise.double(),
        action_noise=drawn.action_noise.double(),
        optimum=drawn.optimum.double(),
    )


def drawn_meta(learner: Learner, tasks: TrialBatch) -> Meta:
    """Return a meta-learner whose policy is not uniform, by replicate."""
    rngs = tuple(Rng(3).child("init", r) for r in range(tasks.replicates))
    meta = learner.init(rngs, tasks)
    noise = torch.Generator().manual_seed(1)
    weights = {
        name: w + 0.3 * torch.randn(w.shape, generator=noise, dtype=w.dtype)
        for name, w in meta.weights.items()
    }
    return Meta(weights, meta.memory)


def first_step(done: float = 0.0) -> OuterStepContext:
    """Return the first meta-step, at some share of meta-training."""
    return OuterStepContext(0, 0, 1, (Rng(0),), done)
