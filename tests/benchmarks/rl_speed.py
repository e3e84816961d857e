"""How fast RL² meta-trains, against the usual loop over a few environments.

    python -m tests.benchmarks.rl_speed

Both play trials of ten pulls of five arms by one GRU of 64 units and then take one step
of A2C. Here a meta-step has 1,000 trials, drawing them included; there it has 8
environments with gymnasium's interface, stepped one after the other in numpy, and the
same net as torch modules, batched over the eight. What is compared is environment steps
per second of one core, the update included; at least 20 times as many are asked for.
Where JAX is installed (`requirements.txt` beside this file), the meta-step as one
compiled program, written as for gymnax, is measured too. The tests' portable arithmetic
slows matrix products: METASCOPE_ARITHMETIC=native measures what users have.
"""

import os
import time
from collections.abc import Callable
from importlib import import_module

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from engine.contract.rng import Rng
from engine.estimators.pes import Pes
from engine.learners.memory.rl2 import Rl2
from engine.nets.mlp import Mlp
from engine.outers.adam import Adam
from engine.protocol import BatchSpec, Meta, OuterStepContext, Setting, TaskBatch
from engine.tasks.rl.bernoulli_bandit import BernoulliBandit

ARMS, PULLS, UNITS, TRIALS, ENVIRONMENTS = 5, 10, 64, 1000, 8
RATE, DISCOUNT, TRACE, BONUS = 0.01, 1.0, 0.9, 0.03
GOAL = 20.0


class BanditEnvironment:
    """A bandit with gymnasium's interface."""

    def __init__(self, seed: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.pays = self.draw.random(ARMS)

    def reset(self) -> tuple[np.ndarray, dict[str, object]]:
        """Start a new trial: other arms."""
        self.pays = self.draw.random(ARMS)
        return np.ones(1, np.float32), {}

    def step(
        self, action: int
    ) -> tuple[np.ndarray, float, bool, bool, dict[str, object]]:
        """Pull an arm; every pull is an episode."""
        reward = float(self.draw.random() < self.pays[action])
        return np.ones(1, np.float32), reward, True, False, {}


class Recurrent(torch.nn.Module):
    """The same net as RL²'s: a GRU cell, a policy and a value."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = torch.nn.GRUCell(1 + ARMS + 2, UNITS)
        self.policy = torch.nn.Linear(UNITS, ARMS)
        self.value = torch.nn.Linear(UNITS, 1)


def play_and_update(
    net: Recurrent, optimizer: torch.optim.Optimizer, worlds: list[BanditEnvironment]
) -> None:
    """Play one trial in each environment, and take one step of A2C."""
    seen = np.stack([world.reset()[0] for world in worlds])
    count = len(worlds)
    before = torch.zeros(count, ARMS + 2)
    state = torch.zeros(count, UNITS)
    logs, values, entropies, rewards = [], [], [], []
    for _ in range(PULLS):
        state = net.cell(torch.cat([torch.from_numpy(seen), before], 1), state)
        chosen = torch.distributions.Categorical(logits=net.policy(state))
        action = chosen.sample()
        found = [w.step(int(a)) for w, a in zip(worlds, action, strict=True)]
        seen = np.stack([each[0] for each in found])
        reward = torch.tensor([each[1] for each in found])
        hot = torch.nn.functional.one_hot(action, ARMS).float()
        before = torch.cat([hot, reward[:, None], torch.ones(count, 1)], 1)
        logs.append(chosen.log_prob(action))
        entropies.append(chosen.entropy())
        values.append(net.value(state)[:, 0])
        rewards.append(reward)
    loss = a2c_loss(*(torch.stack(x) for x in (logs, values, entropies, rewards)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def a2c_loss(logs: Tensor, value: Tensor, entropy: Tensor, reward: Tensor) -> Tensor:
    """Return the loss; all have shape (step, environment)."""
    gains, running, following = [], torch.zeros_like(reward[0]), 0.0 * reward[0]
    for now, expected in zip(reward.flip(0), value.detach().flip(0), strict=True):
        running = now + DISCOUNT * following - expected + DISCOUNT * TRACE * running
        gains.append(running)
        following = expected
    gain = torch.stack(gains[::-1])
    error = (value - gain - value.detach()).square().mean()
    normal = (gain - gain.mean()) / (gain.std() + 1e-6)
    return -(logs * normal).mean() + 0.5 * error - BONUS * entropy.mean()


def loop_step() -> Callable[[], int]:
    """Return a meta-step of the loop, which returns its number of steps."""
    net, worlds = Recurrent(), [BanditEnvironment(i) for i in range(ENVIRONMENTS)]
    optimizer = torch.optim.Adam(net.parameters(), RATE)

    def step() -> int:
        play_and_update(net, optimizer, worlds)
        return ENVIRONMENTS * PULLS

    return step


def batched_step() -> Callable[[], int]:
    """Return a meta-step of RL², which returns its number of steps."""
    family, learner, rule = BernoulliBandit(), Rl2(update="a2c"), Adam(lr=RATE)
    setting, root = Setting(family, Mlp(), PULLS), Rng(7)

    def draw(number: int) -> TaskBatch:
        rngs = [root.child("train", number, trial) for trial in range(TRIALS)]
        return family.draw(setting, rngs, "train", BatchSpec())

    meta = learner.init((root.child("init"),), draw(0))
    state, number = rule.start(meta.weights), 0

    def step() -> int:
        nonlocal meta, state, number
        context = OuterStepContext(number, 0, 1, (root,))
        found = learner.outer(meta, draw(number), context, Pes())
        assert found.grads is not None
        weights, state = rule.step(meta.weights, found.grads, state)
        meta, number = Meta(weights, {}), number + 1
        return TRIALS * PULLS

    return step


def steps_per_second(step: Callable[[], int], seconds: float) -> float:
    """Return the best rate of several meta-steps, by the processor's own time."""
    step()  # warms up
    best, end = 0.0, time.process_time() + seconds
    while time.process_time() < end:
        start = time.process_time()
        count = step()
        best = max(best, count / (time.process_time() - start))
    return best


def compiled_step() -> Callable[[], int] | None:
    """Return a meta-step of the JAX program; None where JAX is not installed."""
    # It is read when JAX is loaded; one core, as everything else here.
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    try:
        peer = import_module("tests.benchmarks.rl_speed_jax")
    except ImportError:
        return None
    sizes = ARMS, PULLS, UNITS, TRIALS, RATE, DISCOUNT, TRACE, BONUS
    step: Callable[[], int] = peer.meta_step(*sizes)
    return step


def main() -> None:
    """Measure all sides, and print the ratio that is asked for."""
    torch.set_num_threads(1)
    batched = steps_per_second(batched_step(), 4.0)
    looped = steps_per_second(loop_step(), 4.0)
    compiled, told = compiled_step(), "not installed"
    if compiled is not None:
        told = f"{steps_per_second(compiled, 4.0):10,.0f} steps per second"
    out = Console()
    out.print(f"batched  {batched:10,.0f} steps per second")
    out.print(f"loop     {looped:10,.0f} steps per second")
    out.print(f"JAX      {told}")
    out.print(f"ratio    {batched / looped:10.1f}; asked for: {GOAL:g}")


if __name__ == "__main__":
    main()
