"""Classic control is held step for step against gymnasium's own environments."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from engine.protocol import Environment
from engine.tasks.rl.acrobot import TwoLinks
from engine.tasks.rl.cartpole import CartPole
from engine.tasks.rl.pendulum import Swing

STEPS = 1000
Change = Callable[[Any, float, float, float], None]


def change_cartpole(env: Any, length: float, mass: float, gravity: float) -> None:
    env.length *= length
    env.masspole *= mass
    env.gravity *= gravity
    env.total_mass = env.masspole + env.masscart
    env.polemass_length = env.masspole * env.length


def change_pendulum(env: Any, length: float, mass: float, gravity: float) -> None:
    env.l, env.m, env.g = env.l * length, env.m * mass, env.g * gravity


def change_acrobot(env: Any, length: float, mass: float, gravity: float) -> None:
    assert gravity == 1.0  # gymnasium has no name for it
    env.LINK_LENGTH_1 = env.LINK_LENGTH_2 = length
    env.LINK_COM_POS_1 = env.LINK_COM_POS_2 = length / 2
    env.LINK_MASS_1 = env.LINK_MASS_2 = mass


CASES: list[tuple[str, Environment, Change, tuple[float, float, float]]] = [
    ("CartPole-v1", CartPole(STEPS), change_cartpole, (1.0, 1.0, 1.0)),
    ("CartPole-v1", CartPole(STEPS), change_cartpole, (1.7, 0.6, 1.3)),
    ("Pendulum-v1", Swing(STEPS), change_pendulum, (1.0, 1.0, 1.0)),
    ("Pendulum-v1", Swing(STEPS), change_pendulum, (1.7, 0.6, 1.3)),
    ("Acrobot-v1", TwoLinks(STEPS), change_acrobot, (1.0, 1.0, 1.0)),
    ("Acrobot-v1", TwoLinks(STEPS), change_acrobot, (0.7, 1.6, 1.0)),
]


@pytest.mark.parametrize(("name", "world", "change", "factors"), CASES)
def test_a_thousand_steps_are_those_of_gymnasium(
    name: str,
    world: Environment,
    change: Change,
    factors: tuple[float, float, float],
) -> None:
    env: Any = gymnasium.make(name).unwrapped
    change(env, *factors)
    draws = np.random.default_rng(5)
    parameters = {
        key: torch.tensor([factor], dtype=torch.float64)
        for key, factor in zip(("length", "mass", "gravity"), factors, strict=True)
    }
    none = torch.zeros(1, 1, world.uniforms, dtype=torch.float64)
    restart = True
    for _ in range(STEPS):
        if restart:  # its own reset draws from a generator of its own
            env.reset(seed=1)
            begun = draws.uniform(-0.05, 0.05, len(np.asarray(env.state)))
            env.state = begun.copy()
            state = {"state": torch.tensor(begun)[None, None]}
        action = draw_action(world, draws)
        seen, reward, ended, _, _ = env.step(action[1])
        done = world.step(parameters, state, action[0], none)
        state = done.state
        found = world.observe(parameters, state)[0, 0].numpy()
        np.testing.assert_allclose(state["state"][0, 0], env.state, atol=1e-6)
        np.testing.assert_allclose(found, seen, atol=1e-6, rtol=1e-6)
        assert done.reward.item() == pytest.approx(reward, abs=1e-6)
        assert bool(done.ended) == ended
        restart = ended


def draw_action(
    world: Environment, draws: np.random.Generator
) -> tuple[torch.Tensor, Any]:
    """Return one random action for both."""
    if world.actions.continuous:
        value = draws.uniform(-world.actions.bound, world.actions.bound, 1)
        return torch.tensor(value)[None, None], value
    chosen = int(draws.integers(world.actions.count))
    return torch.tensor([[chosen]]), chosen
