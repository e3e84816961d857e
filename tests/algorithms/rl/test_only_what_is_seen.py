"""An agent acts on what it sees: the task's parameters and its luck may be anything."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engine.algorithms.rl.rollouts import Rollout, join_rollouts
from engine.algorithms.rl.trial_learner import TrialLearner
from engine.contract.rng import Rng
from engine.protocol import (
    ChangedEnvironment,
    Environment,
    Transition,
    TrialBatch,
    Weights,
)
from tests.laws.small import kind_of, names
from tests.tasks.rl.trials import learner, trials

# A pole falls, so some episodes end early.
FAMILIES = {"arms": "bernoulli_bandit", "states": "tabular_mdp", "actions": "cartpole"}
SHORT = {"cartpole": {"steps": 20}}
TOLD = {"oracle"}  # acts with knowledge of the task, and says so
AGENTS = [name for name in names("learner") if kind_of(name) == "rl"]


class Film(ChangedEnvironment):
    """Shows and pays what was written down, whatever is done."""

    def __init__(self, inner: Environment) -> None:
        super().__init__(inner)
        self.knows_best, self.cells = False, 0

    def start(self, parameters: Weights, noise: Tensor, episode: Tensor) -> Weights:
        episodes = episode.expand(len(parameters["pays"]), -1)
        return {"episode": episodes, "step": torch.zeros_like(episodes)}

    def observe(self, parameters: Weights, state: Weights) -> Tensor:
        # After the last step there is nothing more to be seen.
        step = state["step"].clamp(max=self.steps - 1)
        return at(parameters["seen"], state | {"step": step})

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        pay, over = at(parameters["pays"], state), at(parameters["over"], state)
        return Transition(state | {"step": state["step"] + 1}, pay, pay * 0.0, over)


def at(written: Tensor, state: Weights) -> Tensor:
    member = torch.arange(len(written)).unsqueeze(1)
    return written[member, state["episode"], state["step"]]


def filmed(tasks: TrialBatch, played: Rollout) -> TrialBatch:
    """Return trials that show the same, and tell nothing else of the task."""
    alive = played.alive
    later = torch.cat([alive[:, :, 1:], torch.zeros_like(alive[:, :, :1])], 2)
    return replace(
        tasks,
        environment=Film(tasks.environment),
        parameters={
            "seen": played.observation,
            "pays": played.reward,
            "over": alive & ~later,
        },
        noise=torch.full_like(tasks.noise, torch.nan),
        optimum=torch.full_like(tasks.optimum, torch.nan),
    )


@pytest.mark.parametrize("name", sorted({*AGENTS} - TOLD))
def test_an_agent_acts_on_what_it_sees_alone(name: str) -> None:
    agent = learner(name)
    assert isinstance(agent, TrialLearner)
    family = FAMILIES[agent.answers[-1]]
    tasks = trials(family, 3, 6, **SHORT.get(family, {}))
    weights = agent.init((Rng(0),), tasks).weights
    draw = torch.Generator().manual_seed(0)
    for key, weight in weights.items():  # or a fresh policy is uniform
        if key != "lr":
            weights[key] = weight + torch.empty(weight.shape).normal_(generator=draw)
    first = join_rollouts(list(agent.play(weights, tasks)))
    again = join_rollouts(list(agent.play(weights, filmed(tasks, first))))
    alive = first.alive
    assert torch.equal(again.alive, alive)
    assert torch.equal(again.action[alive], first.action[alive])
