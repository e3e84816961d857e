"""Environments of the user: played as gymnasium plays them, or refused."""

import re
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from engine.algorithms.rl.rollouts import Rollout, play_trial
from engine.catalogue import find_card
from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.executors.worker_functions import load_toolkit
from engine.learners.baseline.random_actions import RandomActions
from engine.nets.mlp import Mlp
from engine.protocol import BatchSpec, Setting, TrialBatch
from engine.tasks.rl.cartpole import Cartpole
from engine.tasks.rl.own_environment import OwnEnvironment
from tests.laws.small import spec_of

HERE = __name__


class Line(gymnasium.Env[Any, Any]):
    """Walk to `goal` on a line; what goes wrong is chosen by the arguments."""

    def __init__(self, goal: float = 1.0, fault: str = "") -> None:
        self.goal, self.fault = goal, fault
        self.observation_space = spaces.Box(-10.0, 10.0, (2,))
        self.action_space = spaces.Discrete(2)
        if fault in ("above", "below"):
            self.observation_space = spaces.Discrete(3)
        if fault == "space":
            self.observation_space = spaces.Dict({})
        if fault == "constructor":
            raise OSError("no simulator")

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.x = float(self.np_random.uniform(-0.1, 0.1))
        self.count = 0
        return self.seen(), {}

    def seen(self) -> Any:
        if self.fault in ("above", "below"):
            return {"above": 3, "below": -1}[self.fault]
        last = np.nan if self.fault == "nan" and self.count > 1 else self.goal
        return np.array([self.x, last], np.float32)

    def step(self, action: Any) -> Any:
        self.count += 1
        if self.fault == "raise" and self.count == 3:
            raise ValueError("joint 2 is broken")
        self.x += 0.2 * (2 * int(action) - 1)
        pay = -abs(self.x - self.goal)
        if self.fault == "reward" and self.count == 2:
            pay = np.inf
        if self.fault == "large":
            pay = 1e300
        return self.seen(), pay, abs(self.x - self.goal) < 0.1, False, {}


def draw_goal(draws: np.random.Generator) -> dict[str, Any]:
    return {"goal": float(draws.choice([-1.0, 1.0]))}


def draw_fault(name: str) -> Any:
    return lambda draws: {"fault": name}


draw_nan, draw_raise, draw_reward, draw_space, draw_constructor = map(
    draw_fault, ("nan", "raise", "reward", "space", "constructor")
)
draw_above, draw_below, draw_large = map(draw_fault, ("above", "below", "large"))


class Bare:
    """Declares no spaces."""

    def __init__(self) -> None:
        """Declare nothing."""


def draw_trials(family: Any, tasks: int = 3, episodes: int = 2) -> TrialBatch:
    rngs = [Rng(4).child("test", t) for t in range(tasks)]
    setting = Setting(family, Mlp(), episodes)
    found = family.draw(setting, rngs, "test", BatchSpec())
    assert isinstance(found, TrialBatch)
    return found


def play_randomly(tasks: TrialBatch) -> Rollout:
    return play_trial(tasks, RandomActions().agent(tasks))


def test_a_trial_of_own_code_is_a_function_of_its_seed() -> None:
    family = OwnEnvironment(
        environment_name=f"{HERE}:Line", draws=f"{HERE}:draw_goal", steps=12, best=-1.0
    )
    one, two = play_randomly(draw_trials(family)), play_randomly(draw_trials(family))
    assert torch.equal(one.observation, two.observation)
    assert torch.equal(one.reward, two.reward)
    more = play_randomly(draw_trials(family, tasks=5))
    assert torch.equal(more.reward[:3], one.reward)
    goals = draw_trials(family, tasks=8)
    seen = play_randomly(goals).observation[:, 0, 0, 1]
    assert sorted(set(seen.tolist())) == [-1.0, 1.0]


def test_gymnasiums_cartpole_is_played_as_ours() -> None:
    """Both start at their own states: ours is put where gymnasium's begins."""
    tasks = draw_trials(OwnEnvironment(environment_name="CartPole-v1", steps=60))
    theirs = play_randomly(tasks)
    world = Cartpole(steps=60, low=1.0, high=1.0).environment()
    usual = {n: torch.ones(3) for n in ("length", "mass", "gravity")}
    state = {"state": theirs.observation[:, 0, 0].unsqueeze(1)}
    for step in range(60):
        alive = theirs.alive[:, 0, step]
        found = world.observe(usual, state)[:, 0]
        torch.testing.assert_close(
            found[alive], theirs.observation[:, 0, step][alive], atol=1e-5, rtol=1e-5
        )
        action = theirs.action[:, 0, step].unsqueeze(1)
        state = world.step(usual, state, action, torch.zeros(3, 1, 4)).state
    assert theirs.alive[:, 0].sum(1).min() > 5


def test_an_environment_that_never_ends_is_capped() -> None:
    family = OwnEnvironment(environment_name=f"{HERE}:Line", steps=7, best=-1.0)
    assert play_randomly(draw_trials(family)).reward.shape[2] == 7


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("nan", "the environment's observation is not finite"),
        ("reward", "the environment's reward is not finite"),
        ("large", "the environment's reward is beyond ±3.4e+38, the largest number"),
        ("above", "the environment's observation is 3, but its space goes from 0 to 2"),
        ("below", "the environment's observation is -1, but its space goes from 0"),
        ("raise", "the environment's step failed: ValueError: joint 2 is broken"),
        ("space", "its observation space is Dict; it must be Discrete or a Box"),
        ("constructor", "the environment's constructor failed: OSError: no simulator"),
    ],
)
def test_what_goes_wrong_is_one_sentence(fault: str, said: str) -> None:
    family = OwnEnvironment(
        environment_name=f"{HERE}:Line", draws=f"{HERE}:draw_{fault}", steps=9, best=1.0
    )
    with pytest.raises(Refused, match=re.escape(said)):
        play_randomly(draw_trials(family))


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({}, "name an environment: a gymnasium id or module:Class"),
        ({"environment_name": "Nothing-v0"}, "gymnasium has no Nothing-v0"),
        ({"environment_name": "no_module:X"}, "no_module:X cannot be loaded"),
        ({"environment_name": f"{HERE}:Lime"}, "cannot be loaded: AttributeError"),
        ({"environment_name": f"{HERE}:Line"}, "such as 1e-9 where it is 0"),
        (
            {"environment_name": f"{HERE}:Bare", "best": 1.0},
            "the environment's spaces failed: AttributeError",
        ),
        ({"environment_name": "Pendulum-v1", "draws": "x"}, "x cannot be loaded"),
    ],
)
def test_what_cannot_be_made_is_refused(knobs: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        OwnEnvironment(**knobs).check()


def test_a_worker_never_runs_code_that_a_spec_names() -> None:
    spec = spec_of(
        family={
            "name": "own_environment",
            "knobs": {"environment_name": "CartPole-v1"},
        },
        learners=[{"name": "random_actions"}],
    )
    check = load_toolkit().check
    assert check is not None
    with pytest.raises(Refused, match="runs code that the spec names"):
        check(spec)
    assert find_card("family", "own_environment").traits["own_code"]
